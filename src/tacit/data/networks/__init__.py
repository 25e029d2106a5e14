"""Graphs as they lie on disk, collections of them, and edges held back."""
