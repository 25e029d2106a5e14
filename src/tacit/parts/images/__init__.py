"""What is done to pictures on the way to a loss."""
