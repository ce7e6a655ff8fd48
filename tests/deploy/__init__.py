"""The embedded stack and the launcher."""
