"""`tacit preview`: the views that training would see, before it starts."""

from pathlib import Path
from typing import Any

import numpy as np

from tacit import data as sources
from tacit.config import named_recipe, route
from tacit.errors import TacitError
from tacit.guidance import SUITED, UNMEASURED
from tacit.material import at_side, fit_views, measured, sizes, train_part
from tacit.method import Labelled, Method, streams
from tacit.methods import find
from tacit.modalities import MODALITIES
from tacit.numerics import counter
from tacit.training import precision
from tacit.views import Program, modality
from tacit.views.sheet import save, sheet


def preview(
    data: Any,
    method: str | type[Method] | None = None,
    *,
    out: str | Path = "preview.png",
    count: int = 8,
    kind: str | None = None,
    size: int | None = None,
    seed: int = 0,
    **options: Any,
) -> Path:
    """Write a sheet of `count` samples and the views that this method's training would see of them.

    By default SimCLR's, or those of the method that suits this kind of data.
    """
    if count < 1:
        raise TacitError(f"A sheet of {count} samples was asked for; give --count 1 or more.")
    samples = sources.open(data, kind)
    method = SUITED.get(samples.kind, UNMEASURED) if method is None else method
    cls = find(method) if isinstance(method, str) else method
    if samples.kind in MODALITIES and not MODALITIES[samples.kind].drawn:
        raise TacitError(
            f"{samples.source} holds {samples.kind}, of which there is nothing to draw; tacit inspect tells what it is."
        )
    facts = sizes(samples, size, precision.choose().device)
    samples = at_side(samples, facts)
    order = counter.permutation(counter.key(seed, "preview"), len(samples))
    chosen: list[int] = []
    rows = iter(order)
    while len(chosen) < min(count, len(samples)) and (position := next(rows, None)) is not None:
        if not samples.read(np.array([position]))[1]:
            chosen.append(int(position))
    if not chosen:
        raise TacitError(f"No sample of {samples.source} can be read; run tacit inspect on it to see why.")
    index = np.array(chosen)
    routed = route(options, cls, modality(samples.kind), {})
    views = fit_views(measured(samples.take(np.sort(order[:500])), facts), routed.views)
    first = next(iter(streams(cls).values()))
    small = named_recipe(cls, None, len(train_part(samples)[0]))[1].but(**routed.recipe).small_crops
    looks = first.views if isinstance(first, Labelled) else first if small < 0 else first.with_small(small)
    program = Program(looks, views, cls.__name__, options)
    content, _ = samples.read(index)
    picture = sheet(content, [samples.ids[i] for i in chosen], program, index, counter.key(seed, "preview"))
    save(picture, out)
    return Path(out)
