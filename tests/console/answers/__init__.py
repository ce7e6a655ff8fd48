"""What must hold of the customer's page."""
