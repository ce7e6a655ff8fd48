"""Every setting with its type, unit and reason, read once at the edge."""
