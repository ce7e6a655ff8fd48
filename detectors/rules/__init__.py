"""One detection a file."""
