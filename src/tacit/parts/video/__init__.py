"""Machinery of methods of videos."""
