"""The archive: what is sealed is whole, complete and provable, whatever happens on the way."""
