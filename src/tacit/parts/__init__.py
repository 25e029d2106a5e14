"""Machinery with state that methods are built from."""
