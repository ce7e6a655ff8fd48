"""Asks the customer whether it was them, and acts on the answer."""
