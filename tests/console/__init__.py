"""What must hold of the console: its read models and what it draws of them."""
