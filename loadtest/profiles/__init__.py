"""The profiles of traffic, one a file, each with the sources of its numbers."""
