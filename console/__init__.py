"""What people look at: the SOC's console, the auditor's workspace, the customer's page."""
