"""Around any method."""
