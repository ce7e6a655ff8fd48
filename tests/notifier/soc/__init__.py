"""What must hold of alerts on their way to the SOC."""
