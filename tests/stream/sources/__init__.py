"""Sources: from the lines of a log to login events."""
