"""Claims of methods/decorrelation."""
