"""What was chosen of a source, opened as a source."""
