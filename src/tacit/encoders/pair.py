"""The encoder for samples of two parts: two encoders of equal width."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from tacit import encoders
from tacit.errors import TacitError, unknown
from tacit.method import Encoder, Facts

NOTHING: dict[str, Any] = {}


class DualEncoder(nn.Module):
    """One encoder for each part of a sample, built from what `facts.more["first"]` and `["second"]` say of them.

    `first_encoder` and `second_encoder` are their names ("auto": the default for that kind on a few cores), `first_options` and
    `second_options` what is set of them. Where their widths differ, a linear layer brings the narrower one to the wider's.
    """

    dim: int
    first: nn.Module
    second: nn.Module

    def __init__(
        self,
        facts: Facts,
        *,
        first_encoder: str = "auto",
        second_encoder: str = "auto",
        first_options: Mapping[str, Any] = NOTHING,
        second_options: Mapping[str, Any] = NOTHING,
    ):
        super().__init__()
        one = _side(facts, "first", first_encoder, first_options)
        two = _side(facts, "second", second_encoder, second_options)
        self.dim = max(one.dim, two.dim)
        self.first, self.second = _widened(one, self.dim), _widened(two, self.dim)

    def forward(self, x: Tensor) -> Tensor:
        """What the first encoder says of first parts, n × dim: they are what is embedded and searched by default."""
        return self.first(x)


def _side(facts: Facts, part: str, name: str, options: Mapping[str, Any]) -> Any:
    if part not in facts.more:
        raise TacitError(
            f"The encoder dual needs samples of two parts, and nothing is said of their {part} one (kind {facts.kind!r}); "
            "take an encoder for this kind of data."
        )
    about = facts.more[part]
    each: tuple[Any, ...] = facts.shape  # of one view of each part, where these are known
    seen = each[("first", "second").index(part)] if len(each) == 2 else about["shape"]
    own = Facts(about["kind"], facts.n, tuple(seen), about)
    name = encoders.default(own, "cpu", Encoder) if name == "auto" else name
    known = encoders.options(name)
    for option in options:
        if option not in known:
            raise unknown(f"option of {name} called", option, known)
    return encoders.build(name, own, **options)


def _widened(encoder: Any, dim: int) -> nn.Module:
    if encoder.dim == dim:
        return encoder
    wide: Any = nn.Sequential(encoder, nn.Linear(encoder.dim, dim))
    wide.dim = dim
    return wide
