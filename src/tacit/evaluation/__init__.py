"""How good a representation is: with labels and without."""
