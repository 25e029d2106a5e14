"""Objectives of texts."""
