"""What must hold of the running pipeline, mirrored folder by folder."""
