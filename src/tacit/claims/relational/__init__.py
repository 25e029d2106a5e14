"""Claims of methods/relational."""
