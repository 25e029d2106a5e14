"""Claims of methods that learn from what comes together."""
