"""What two encoders, of the two parts of a sample, are trained by."""
