"""What must hold of telling and asking customers."""
