"""Numbers that need labels."""
