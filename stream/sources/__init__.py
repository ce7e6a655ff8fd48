"""Sources: what turns the records of a core system into login events, one file a format."""
