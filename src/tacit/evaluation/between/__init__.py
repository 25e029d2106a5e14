"""How alike two representations of the same samples are."""
