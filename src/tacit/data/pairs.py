"""Pairs: samples of two parts, such as two recordings of one event."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tacit.data.samples import Parts, Samples
from tacit.data.selecting import selected
from tacit.errors import TacitError


@dataclass(eq=False, repr=False)
class Pairs(Samples):
    """Two Samples of equal length, the i-th of one belonging to the i-th of the other. Ids and labels are the first's."""

    source: str
    first: Samples
    second: Samples
    ids: list[str]
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    ignored: Mapping[str, int] = field(default_factory=dict)  # what lies there as well -> how often
    notes: Mapping[str, str] = field(default_factory=dict)  # what was understood, for `tacit inspect`
    kind = "pair"

    @classmethod
    def of(cls, first: Samples, second: Samples) -> "Pairs":
        """Join two opened sources sample by sample."""
        if len(first) != len(second):
            raise TacitError(
                f"The parts of a pair hold {len(first)} and {len(second)} samples; give as many of one as of the other."
            )
        source = f"{first.source} with {second.source}"
        return cls(source, first, second, list(first.ids), first.labels, first.classes, first.splits)

    def read(self, index: np.ndarray) -> tuple[Parts, dict[int, str]]:
        """Both parts of the samples of which both can be read."""
        first, bad = self.first.read(index)
        second, also = self.second.read(index)
        bad = also | bad
        if bad:  # rare: read again without them, so that the rows of the parts correspond
            good = np.array([i for i in np.asarray(index).tolist() if i not in bad], np.int64)
            first, second = self.first.read(good)[0], self.second.read(good)[0]
        return Parts(first, second), bad

    def take(self, index: np.ndarray) -> "Pairs":
        return replace(self, first=self.first.take(index), second=self.second.take(index), **selected(self, index))

    def suits(self, facts: Mapping[str, Any]) -> bool:
        return all(part.suits(facts.get(name, {})) for name, part in (("first", self.first), ("second", self.second)))

    def facts(self) -> dict[str, Any]:
        """The facts of both parts under "first" and "second"; a pair has no shape of its own."""
        return {"kind": self.kind, "shape": [], "first": self.first.facts(), "second": self.second.facts()}

    def fitted(self, facts: Mapping[str, Any]) -> "Pairs":
        """The same pairs, each part in the vocabulary of the facts where it has one."""
        own = {part: getattr(self, part) for part in ("first", "second")}
        return replace(self, **{p: x.fitted(facts[p]) for p, x in own.items() if hasattr(x, "fitted")})

    def path(self, position: int) -> str | None:
        return self.first.path(position)
