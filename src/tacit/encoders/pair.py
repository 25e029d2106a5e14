"""The encoder for samples of two parts: two encoders of equal width."""

from typing import Any

from torch import Tensor, nn

from tacit import encoders
from tacit.errors import TacitError
from tacit.method import Encoder, Facts


class DualEncoder(nn.Module):
    """One encoder for each part of a sample, built from what `facts.more["first"]` and `["second"]` say of them.

    `first` and `second` are names of encoders ("auto": the default for that kind on a few cores). Where their widths
    differ, a linear layer brings the narrower one to the wider's.
    """

    dim: int
    first: nn.Module
    second: nn.Module

    def __init__(self, facts: Facts, *, first: str = "auto", second: str = "auto"):
        super().__init__()
        one, two = _side(facts, "first", first), _side(facts, "second", second)
        self.dim = max(one.dim, two.dim)
        self.first, self.second = _widened(one, self.dim), _widened(two, self.dim)

    def forward(self, x: Tensor) -> Tensor:
        """What the first encoder says of first parts, n × dim: they are what is embedded and searched by default."""
        return self.first(x)


def _side(facts: Facts, part: str, name: str) -> Any:
    if part not in facts.more:
        raise TacitError(
            f"The encoder dual needs samples of two parts, and nothing is said of their {part} one (kind {facts.kind!r}); "
            "take an encoder for this kind of data."
        )
    about = facts.more[part]
    own = Facts(about["kind"], facts.n, tuple(about["shape"]), about)
    return encoders.build(encoders.default(own, "cpu", Encoder) if name == "auto" else name, own)


def _widened(encoder: Any, dim: int) -> nn.Module:
    if encoder.dim == dim:
        return encoder
    wide: Any = nn.Sequential(encoder, nn.Linear(encoder.dim, dim))
    wide.dim = dim
    return wide
