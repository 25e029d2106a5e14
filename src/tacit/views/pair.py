"""Samples of two parts (an image and a vector or a text that describes it): each part is seen by its own modality."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from tacit.data.captioned.captions import Several
from tacit.data.samples import Parts
from tacit.errors import TacitError, unknown
from tacit.modalities import MODALITIES
from tacit.numerics import counter
from tacit.views import Modality, modality
from tacit.views.kinds import Paired, Plain, View

NOTHING: Mapping[str, Any] = {}
RAW_SIDE = 32  # of the images that the raw baseline compares


@dataclass(frozen=True)
class PairViews:
    """The modalities of the two parts; they keep the options.

    Of several captions of an image each look draws one; the plain view shows the first.
    """

    first: Modality
    second: Modality
    given: frozenset[str] = field(default=frozenset(), init=False)  # options that the user chose: no method changes them

    name: ClassVar[str] = "pair"
    parts: ClassVar[int] = 2
    kinds: ClassVar[tuple[type[View], ...]] = (Plain, Paired)
    unsuited: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def fit(
        cls,
        facts: Mapping[str, Any],
        *,
        first: Mapping[str, Any] = NOTHING,
        second: Mapping[str, Any] = NOTHING,
        **overrides: Any,
    ) -> "PairViews":
        """Options for samples of which `facts` says, under "first" and "second", each part's `kind` and its own facts.

        `first` and `second` hold options of either part; another override goes to every part that has an option of that name.
        """
        for name, options in (("first", first), ("second", second)):
            if not isinstance(options, Mapping):
                raise TacitError(f"{name} is {options!r}; give options of that part's views, such as '{{crop: [0.5, 1]}}'.")
        kinds: list[Any] = [modality(facts[part]["kind"]) for part in ("first", "second")]
        known = [{field.name for field in fields(kind)} for kind in kinds]
        for name in overrides:
            if name not in known[0] | known[1]:
                raise unknown("option of the views of either part", name, known[0] | known[1])
        chosen = [{name: value for name, value in overrides.items() if name in own} for own in known]
        one, two = (
            kind.fit(facts[part], **{**how, **own})
            for kind, part, how, own in zip(kinds, ("first", "second"), chosen, (first, second))
        )
        views = cls(one, two)
        object.__setattr__(views, "given", frozenset((*first, *second, *overrides)))
        return views

    @property
    def shape(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Of one view of each part."""
        return (self.first.shape, self.second.shape)

    def raw(self, view: Tensor) -> Tensor:
        """Either part's plain view as a row of numbers: pixels of an image of at most 32 pixels a side, the weighted words of a
        text; n × d."""
        texts = [one for one in (self.first, self.second) if hasattr(one, "raw")]
        if texts and not view.is_floating_point():
            return texts[0].raw(view)
        if view.ndim == 4 and view.shape[-1] > RAW_SIDE:
            view = torch.nn.functional.adaptive_avg_pool2d(view.float(), RAW_SIDE)
        return view.float().flatten(1)

    def look(
        self, content: Parts, index: np.ndarray, key: int, role: str = "global", *, part: int = 0, **how: Any
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """One view of one part of each sample, as that part's modality looks.

        `how` are that modality's options, or options for all parts of a kind: `image={"flip": 0.0}`; of the latter those that
        the user chose, or that do not suit the part, are left as they are.
        """
        one, shown = (self.first, self.second)[part], content[part]
        wished = how.get(one.name, {})
        kept = {*self.given, *one.unsuited}
        own = {name: value for name, value in wished.items() if name not in kept}
        own |= {name: value for name, value in how.items() if name not in MODALITIES}
        if isinstance(shown, Several):
            luck = torch.from_numpy(counter.uniform(counter.key(key, "caption"), index, 1))[:, 0]
            shown = shown.drawn(None if role == "plain" else luck)
        return one.look(shown, index, key, role, **own)
