"""Triples seen with corrupted ones: the head or the tail is another entity."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from tacit.data.networks.triples import Triples
from tacit.errors import TacitError, unknown
from tacit.numerics import counter
from tacit.views import changed
from tacit.views.kinds import Corrupted, Plain, View


@dataclass(frozen=True)
class TripleViews:
    """The options of a view of triples: how many corrupted ones come with it (Bordes et al. 2013, equation 2)."""

    count: int  # of entities
    corrupted: int = 2  # corrupted triples to each; the 1st, 3rd, … have another head, the 2nd, 4th, … another tail

    name: ClassVar[str] = "triples"
    parts: ClassVar[int] = 1
    kinds: ClassVar[tuple[type[View], ...]] = (Plain, Corrupted)
    unsuited: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if self.corrupted < 1:
            raise TacitError(f"corrupted is {self.corrupted}; give 1 or more corrupted triples to each.")
        if self.count < 2:
            raise TacitError(f"{self.count} entity came; corrupting a triple takes at least 2.")

    @classmethod
    def fit(cls, facts: Mapping[str, Any], **overrides: Any) -> "TripleViews":
        """Options for triples whose `entities` the facts name."""
        return cls(len(facts["entities"])).but(**overrides)

    def but(self, **how: Any) -> "TripleViews":
        """The same options with some changed."""
        return changed(self, how)

    @property
    def shape(self) -> tuple[int]:
        """Of one view: head, relation, tail."""
        return (3,)

    def look(
        self, content: Triples, index: np.ndarray, key: int, role: str = "global", **how: Any
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The triples, int64, n × 3; and with them, in `params`, as many corrupted ones as wanted: int64, n × corrupted × 3.

        The entity put in is drawn uniformly from all others, so that it may make another true triple, as in the paper. Role
        "plain" is the triples and nothing else.
        """
        options = self.but(**how)
        triples = torch.stack(content, 1)
        if role == "plain":
            return triples, {}
        if role != "global":
            raise unknown("role of a view", role, ("global", "plain"))
        draws = torch.from_numpy(counter.uniform(counter.key(key, "corrupt"), index, options.corrupted)).to(triples.device)
        ends = torch.arange(options.corrupted, device=triples.device) % 2 * 2  # 0 the head, 2 the tail, in turn
        place = ends.expand(len(triples), -1)
        was = triples.gather(1, place)
        other = (draws.double() * (self.count - 1)).long()
        other += other >= was  # over the others alone
        false = triples[:, None].repeat(1, options.corrupted, 1)
        return triples, {"corrupted": false.scatter(2, place[..., None], other[..., None])}
