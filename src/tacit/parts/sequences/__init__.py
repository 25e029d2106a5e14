"""Parts for samples of unequal length."""
