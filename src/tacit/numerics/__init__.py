"""Computation that every side needs, and that knows of nothing else."""
