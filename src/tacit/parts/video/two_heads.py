"""Two answers of one encoder."""

from torch import Tensor, nn

from tacit.numerics.exact import unit


class TwoHeads(nn.Module):
    """An encoder and two heads on it, whose answers have length one (RSPNet, arXiv:2011.07949, section 3.4)."""

    def __init__(self, encoder: nn.Module, first: nn.Module, second: nn.Module):
        super().__init__()
        self.encoder, self.first, self.second = encoder, first, second

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """n samples -> n × d and n × d."""
        z = self.encoder(x)
        return unit(self.first(z)), unit(self.second(z))
