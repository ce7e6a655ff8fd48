"""The watchdog: troubles, lag, silence, canaries and rounds."""
