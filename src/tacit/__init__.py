"""Tacit learns from data that nobody labelled."""
