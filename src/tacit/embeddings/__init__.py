"""Vectors on disk, with where they come from: written, read and searched in memory that does not grow with them."""
