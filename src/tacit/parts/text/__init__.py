"""Machinery of methods for texts."""
