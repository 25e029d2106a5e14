"""Machinery for what has an order: series, waves, text."""
