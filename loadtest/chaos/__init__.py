"""Breaks a real pipeline on purpose and compares what it says with what it should have said."""
