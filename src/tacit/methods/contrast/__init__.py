"""One instance against the others: the loss itself."""
