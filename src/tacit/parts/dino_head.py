"""The head of DINO: a perceptron, a sphere, and directions on it."""

from torch import Tensor, nn
from torch.nn.functional import linear

from tacit.numerics.exact import full_precision, unit


class DINOHead(nn.Module):
    """n × dim -> n × k: three layers with GELU, unit length, then cosines with k directions (Caron et al. 2021, appendix C).

    `norm` puts batch normalisation before each GELU, as the released code offers for convolutional encoders.
    The published last layer is weight-normalised with its gain held at 1: rows divided by their length in the forward.
    """

    def __init__(self, dim: int, hidden: int, bottleneck: int, k: int, norm: bool = False):
        super().__init__()
        norms = [[nn.BatchNorm1d(hidden)] if norm else [] for _ in range(2)]
        first, second = (nn.Linear(wide, hidden) for wide in (dim, hidden))
        self.layers = nn.Sequential(first, *norms[0], nn.GELU(), second, *norms[1], nn.GELU(), nn.Linear(hidden, bottleneck))
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)
        self.directions = nn.Linear(bottleneck, k, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        z = self.layers(x)
        with full_precision():
            return linear(unit(z), unit(self.directions.weight))
