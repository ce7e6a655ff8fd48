"""The command line: what it prints, how it exits."""
