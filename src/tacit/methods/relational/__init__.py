"""Relational: what is true of two things against what is not."""
