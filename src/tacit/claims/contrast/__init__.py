"""Claims of methods/contrast."""
