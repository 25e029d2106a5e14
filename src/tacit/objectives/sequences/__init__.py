"""Losses of what has an order: series, waves, text."""
