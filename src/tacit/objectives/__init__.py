"""The mathematics of learning without labels: pure functions, tensors in, a scalar out."""
