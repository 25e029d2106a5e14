"""Claims of heads that learn from a few labels."""
