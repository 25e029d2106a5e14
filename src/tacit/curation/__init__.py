"""Decisions about data, from its embeddings: what repeats, leaks, stands apart or is doubtful, and what is worth keeping."""
