"""Claims of methods/clustering."""
