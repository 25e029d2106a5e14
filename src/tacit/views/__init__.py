"""Views: how samples are seen once more. A kind says how many looks and at whom, a modality what a look is."""

import math
from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from importlib import import_module
from typing import Any, ClassVar, Protocol

import numpy as np
from torch import Tensor

from tacit.errors import TacitError, unknown
from tacit.modalities import MODALITIES
from tacit.numerics import counter
from tacit.views.kinds import Fixed, Plain, Seen, View


class Modality(Protocol):
    """What every modality of views is: a frozen dataclass of its options that looks at whole batches."""

    name: ClassVar[str]  # as in `tacit.modalities`
    parts: ClassVar[int]  # of one sample; where there are several, `look` takes `part`
    kinds: ClassVar[tuple[type[View], ...]]  # which it offers

    @property
    def unsuited(self) -> tuple[str, ...]: ...  # options that methods may not change on this data

    @property
    def shape(self) -> tuple[Any, ...]: ...

    @classmethod
    def fit(cls, facts: Mapping[str, Any], **overrides: Any) -> "Modality": ...

    def look(
        self, content: Any, index: np.ndarray, key: int, role: str = "global", **how: Any
    ) -> tuple[Tensor, dict[str, Tensor]]: ...


def modality(kind: str) -> type[Modality]:
    """The class of views for a kind of data; its file is imported here and not before."""
    if kind not in MODALITIES:
        raise unknown("kind of data", kind, MODALITIES)
    module, name = MODALITIES[kind].views.split(":")
    return getattr(import_module(module), name)


def changed(options: Any, how: Mapping[str, Any]) -> Any:
    """A modality's options with some changed by name, to values like those that are there; lists are taken for tuples."""
    known = [field.name for field in fields(options)]
    for name in how:
        if name not in known:
            raise unknown(f"option of {options.name} views", name, known)
    return replace(options, **{name: _like(getattr(options, name), name, value) for name, value in how.items()})


def _like(current: Any, name: str, value: Any) -> Any:
    """A value where a number, or several, is there now: the same, or one sentence."""
    if isinstance(current, tuple):
        if not isinstance(value, list | tuple) or len(value) != len(current) or not all(map(_is_number, value)):
            raise TacitError(f"{name} is {value!r}; give {len(current)} numbers such as {list(current)}.")
        return tuple(value)
    if _is_number(current) and not _is_number(value):
        raise TacitError(f"{name} is {value!r}; give a number such as {current}.")
    if isinstance(current, int) and value != int(value):
        raise TacitError(f"{name} is {value}; give a whole number such as {current}.")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


class Program:
    """A kind of view, filled in by a modality: content in, views out.

        program = Program(Pair(), ImageViews.fit(facts))
        (x1, x2), params = program(content, index, key)

    View number v is drawn with `counter.key(key, v)` for the rows `index`, so it is the same in every batch. A partner's
    view is drawn with its anchor's index. A modality of several parts is told which `part` to look at; Plain shows it all
    of them, one view per part. `kind.of[modality.name]` holds options for `look`: one mapping for all views, or one each;
    but what the user has `settled`, and what does not suit this data (`modality.unsuited`), is not the method's to change,
    unless it says so (`kinds.Fixed`).
    """

    def __init__(self, kind: View, modality: Modality, wanted_by: str = "This method", settled: Collection[str] = ()):
        """`wanted_by` names the method in the error that says the modality does not offer the kind."""
        if type(kind) not in modality.kinds:
            offered = ", ".join(offer.__name__ for offer in modality.kinds)
            raise TacitError(
                f"{wanted_by} wants {type(kind).__name__} views, {modality.name} data offers {offered}; "
                "choose a method that asks for one of these, or open the data as another kind."
            )
        self.kind, self.modality = kind, modality
        self.seen: tuple[Seen, ...] = kind.seen()
        if isinstance(kind, Plain):
            self.seen = tuple(replace(seen, part=part) for seen in self.seen for part in range(modality.parts))
        kept = {*settled, *modality.unsuited}
        wished = per_view(kind.of.get(modality.name, {}), len(self.seen))
        self.how = [how if isinstance(how, Fixed) else {name: how[name] for name in how if name not in kept} for how in wished]

    def __call__(
        self, content: Any, index: np.ndarray, key: int, partners: Any = None
    ) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
        """One view, and its parameters, for each of `self.seen`.

        content of n samples; index int64, n: their positions; partners the content of each sample's partner, n as well:
        None where none is named, and everyone is its own.
        """
        views, params = [], []
        for v, (seen, how) in enumerate(zip(self.seen, self.how)):
            shown = partners if seen.partner and partners is not None else content
            which = {"part": seen.part} if self.modality.parts > 1 else {}
            view, drawn = self.modality.look(shown, index, counter.key(key, v), seen.role, **which, **how)
            views.append(view)
            params.append(drawn)
        return views, params


def per_view(options: Any, views: int) -> list[Mapping[str, Any]]:
    """One mapping of options for each view."""
    given = [options] if isinstance(options, Mapping) else list(options)
    if len(given) not in (1, views):
        raise TacitError(
            f"Options for {len(given)} views came where there are {views}; give one mapping for all, or one for each."
        )
    return given * (views // len(given))
