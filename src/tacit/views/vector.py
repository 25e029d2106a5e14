"""Vectors seen once more: a little noise, a few features silenced."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from tacit.data.samples import Vectors
from tacit.errors import TacitError, unknown
from tacit.numerics import counter
from tacit.views import changed
from tacit.views.kinds import Neighbours, NeighbourValues, Pair, Plain, Single, Values, View


@dataclass(frozen=True)
class VectorViews:
    """The options of a view of vectors: Gaussian noise and masking, the corruptions of denoising autoencoders
    (Vincent et al., "Stacked denoising autoencoders", JMLR 11, 2010, section 3.3)."""

    mean: tuple[float, ...]  # of each feature; views are standardised by it
    std: tuple[float, ...]  # 0: a constant feature, which is 0 in every view but for the noise
    noise: float = 0.1  # standard deviation of the added noise, in units of each feature's own
    drop: float = 0.1  # probability that a feature is set to its mean

    name: ClassVar[str] = "vector"
    parts: ClassVar[int] = 1
    kinds: ClassVar[tuple[type[View], ...]] = (Plain, Single, Pair, Neighbours, NeighbourValues, Values)
    unsuited: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if self.noise < 0:
            raise TacitError(f"noise is {self.noise}; give a strength of 0 or more.")
        if not 0 <= self.drop <= 1:
            raise TacitError(f"drop is {self.drop}; give a probability, from 0 to 1.")
        if not self.mean or len(self.std) != len(self.mean) or min(self.std) < 0:
            raise TacitError(
                f"{len(self.mean)} means and {len(self.std)} stds came; give one of each per feature, std not negative."
            )

    @classmethod
    def fit(cls, facts: Mapping[str, Any], **overrides: Any) -> "VectorViews":
        """Options for vectors of which `facts` says `mean` and `std` of each feature."""
        return cls(tuple(facts["mean"]), tuple(facts["std"])).but(**overrides)

    def but(self, **how: Any) -> "VectorViews":
        """The same options with some changed."""
        return changed(self, how)

    @property
    def shape(self) -> tuple[int]:
        """Of one view: features."""
        return (len(self.mean),)

    def look(
        self, content: Vectors, index: np.ndarray, key: int, role: str = "global", **how: Any
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """One view of each vector: float32, n × d, standardised, on the content's device; and its parameters.

        content on any device; index int64, n: whose randomness each vector has; `how` changes options for this view.
        The one parameter is `dropped`, bool, n × d. Role "plain" is standardised and nothing else, without parameters.
        """
        options = self.but(**how)
        if content.values.shape[1] != len(self.mean):
            raise TacitError(f"Vectors of {content.values.shape[1]} features came where {len(self.mean)} were expected.")
        device = content.values.device
        mean, std = (torch.tensor(v, device=device) for v in (self.mean, self.std))
        x = (content.values - mean) / torch.where(std > 0, std, 1)
        if role == "plain":
            return x, {}
        if role != "global":
            raise unknown("role of a view", role, ("global", "plain"))
        noise = torch.from_numpy(counter.normal(counter.key(key, "noise"), index, x.shape[1])).to(device)
        dropped = torch.from_numpy(counter.uniform(counter.key(key, "drop"), index, x.shape[1])).to(device) < options.drop
        return (x + options.noise * noise).masked_fill(dropped, 0), {"dropped": dropped}
