"""Samples of two parts (an image and a vector that describes it): each part is seen by its own modality."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from tacit.data.samples import Parts
from tacit.errors import unknown
from tacit.views import Modality, modality
from tacit.views.kinds import Paired, Plain, View


@dataclass(frozen=True)
class PairViews:
    """The modalities of the two parts; they keep the options."""

    first: Modality
    second: Modality

    name: ClassVar[str] = "pair"
    parts: ClassVar[int] = 2
    kinds: ClassVar[tuple[type[View], ...]] = (Plain, Paired)
    unsuited: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def fit(cls, facts: Mapping[str, Any], **overrides: Any) -> "PairViews":
        """Options for samples of which `facts` says, under "first" and "second", each part's `kind` and its own facts.

        An override goes to every part that has an option of that name.
        """
        kinds: list[Any] = [modality(facts[part]["kind"]) for part in ("first", "second")]
        options = [{field.name for field in fields(kind)} for kind in kinds]
        for name in overrides:
            if name not in options[0] | options[1]:
                raise unknown("option of the views of either part", name, options[0] | options[1])
        chosen = [{name: value for name, value in overrides.items() if name in known} for known in options]
        first, second = (kind.fit(facts[part], **how) for kind, part, how in zip(kinds, ("first", "second"), chosen))
        return cls(first, second)

    @property
    def shape(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Of one view of each part."""
        return (self.first.shape, self.second.shape)

    def look(
        self, content: Parts, index: np.ndarray, key: int, role: str = "global", *, part: int = 0, **how: Any
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """One view of one part of each sample, as that part's modality looks; `how` are that modality's options."""
        return (self.first, self.second)[part].look(content[part], index, key, role, **how)
