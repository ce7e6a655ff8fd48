"""Threat intelligence: what is read, kept out, kept, and in force when."""
