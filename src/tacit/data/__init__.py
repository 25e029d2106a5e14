"""Data: from what the user points at to samples with stable ids, and what can be said of them before training."""

from tacit.data.known_sets import known
from tacit.data.opening import open

__all__ = ["known", "open"]
