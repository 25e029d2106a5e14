"""Claims of methods/wrappers."""
