"""The encoder for rows of numbers."""

from torch import Tensor, nn

from tacit.errors import TacitError
from tacit.method import Facts
from tacit.parts.mlp import mlp


class MLPEncoder(nn.Module):
    """A multi-layer perceptron: `depth` hidden layers with batch normalisation and ReLU, then a linear one, all of `width`."""

    dim: int

    def __init__(self, facts: Facts, *, width: int = 256, depth: int = 3):
        super().__init__()
        if len(facts.shape) != 1 or facts.shape[0] < 1:
            raise TacitError(
                f"The encoder mlp needs vectors of shape (d,), and these views have {facts.shape}; "
                "take an encoder for this kind of data."
            )
        if width < 1 or depth < 0:
            raise TacitError(f"mlp got width {width} and depth {depth}; the width counts from 1, the depth from 0.")
        self.layers = mlp(facts.shape[0], *(width,) * depth, width)
        self.dim = width

    def forward(self, x: Tensor) -> Tensor:
        """Vectors n × d -> n × dim."""
        return self.layers(x)
