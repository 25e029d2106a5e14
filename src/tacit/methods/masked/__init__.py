"""A hidden part against its content."""
