"""Claims of methods/masked."""
