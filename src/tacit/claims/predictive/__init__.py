"""Claims of methods that predict a representation."""
