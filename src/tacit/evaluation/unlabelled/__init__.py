"""Numbers that need no labels."""
