"""Student against teacher: what one branch says is what the other must predict."""
