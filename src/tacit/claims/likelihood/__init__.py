"""Claims of methods/likelihood."""
