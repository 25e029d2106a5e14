"""Claims about choosing what is learned from."""
