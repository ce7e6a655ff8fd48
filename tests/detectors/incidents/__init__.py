"""How alerts become incidents, and when an incident wakes people."""
