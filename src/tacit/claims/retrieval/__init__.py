"""Claims of retrieval."""
