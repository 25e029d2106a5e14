"""Claims of evaluation."""
