"""What must hold, mirrored folder by folder."""
