"""One file of timelines for each detection."""
