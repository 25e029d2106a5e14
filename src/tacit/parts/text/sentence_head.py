"""The head of SimCSE and of what goes on from it."""

from torch import nn


def sentence_head(dim: int) -> nn.Sequential:
    """A layer with tanh, for training alone: n × dim -> n × dim (Gao et al. 2021, arXiv:2104.08821, section 3)."""
    return nn.Sequential(nn.Linear(dim, dim), nn.Tanh())
