"""What a run is trained on: sources opened, checked and measured, and the views that training will see of them."""

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from math import ceil
from typing import Any

import numpy as np

from tacit import data
from tacit.data.checking import verify
from tacit.data.pairs import Pairs
from tacit.data.samples import Corrupt, Samples
from tacit.errors import TacitError
from tacit.method import Facts, View
from tacit.training.streams import Source
from tacit.views import Program, modality
from tacit.views.kinds import Plain

CPU_SIDE, GPU_SIDE = 64, 224  # the largest training images unless --size says otherwise
ROOM_TO_CROP = 8 / 7  # images are kept this much larger than the views cut from them, as 256 is to 224


@dataclass
class Material:
    """One opened source, ready to be seen."""

    samples: Samples
    corrupt: list[Corrupt]  # left out
    split: str  # "train" where the source declares one, else "all"
    facts: dict[str, Any]  # what views and encoders must know: JSON only


def gather_material(
    source: Any, kind: str | None, size: int | None, device: str, progress: Any = None, labelled: bool = False
) -> Material:
    """Open a source for training: its train part where it declares one, the readable samples, their statistics.

    `labelled` keeps those alone that have a label, and tells how many classes there are.
    """
    samples, split = train_part(data.open(source, kind))
    if labelled and samples.labels is not None:
        samples = samples.take(np.flatnonzero(samples.labels >= 0))
        if not len(samples):
            raise TacitError(
                f"No sample of {samples.source} has a label and this stream learns from labels; give class folders."
            )
    facts = sizes(samples, size, device)
    samples, corrupt = verify(at_side(samples, facts), progress=progress)
    facts = measured(samples, facts)
    if labelled and samples.labels is not None:
        facts["classes"] = int(samples.labels.max()) + 1
    return Material(samples, corrupt, split, facts)


def train_part(samples: Samples) -> tuple[Samples, str]:
    """What is trained on and its name: the train part where one is declared, else all."""
    if not samples.transductive and samples.splits is not None and (samples.splits == "train").any():
        return samples.split("train"), "train"
    return samples, "all"


def sizes(samples: Samples, size: int | None, device: str) -> dict[str, Any]:
    """What is known before anything is read; for images the side of the training views, chosen from data and device."""
    facts = dict(samples.facts())
    if isinstance(samples, Pairs):
        both = samples.first, samples.second
        none = all(part.kind != "image" for part in both)  # which the first part then says
        first, second = (sizes(part, size if none or part.kind == "image" else None, device) for part in both)
        return {"kind": "pair", "first": first, "second": second}
    if size is not None and size < 4:
        raise TacitError(f"--size is {size}; give the side of a view in pixels, 4 or more.")
    if samples.kind == "image":
        largest = CPU_SIDE if device == "cpu" else GPU_SIDE
        facts["size"] = size or max(4, min(*facts["shape"][1:], largest) // 4 * 4)
        facts["side"] = ceil(facts["size"] * ROOM_TO_CROP)
    elif size is not None:
        raise TacitError(
            f"--size {size} is a side of images, and {samples.source} holds samples of kind {samples.kind}; "
            + ("--side is that of a video." if samples.kind == "video" else "leave it out.")
        )
    return facts


def measured(samples: Samples, facts: dict[str, Any]) -> dict[str, Any]:
    """The facts with the statistics by which views are normalised, and the shape of one view."""
    if isinstance(samples, Pairs):
        return facts | {part: measured(getattr(samples, part), facts[part]) for part in ("first", "second")}
    found = facts | samples.statistics()
    return found if samples.kind == "image" else found | {"shape": list(fit_views(found, {}).shape)}


def at_side(samples: Samples, facts: dict[str, Any]) -> Samples:
    """Images decoded in the channels and by the depth of the facts, as small as the views allow; names by their places in
    the facts' vocabulary; other samples as they are."""
    if isinstance(samples, Pairs):
        return Pairs.of(*(at_side(getattr(samples, part), facts[part]) for part in ("first", "second")))
    if hasattr(samples, "fitted"):
        return samples.fitted(facts)
    if not hasattr(samples, "with_side"):
        return samples
    return samples.with_side(facts["side"]).with_channels(facts["channels"]).with_bits(facts.get("bits", 16))


def fit_views(facts: dict[str, Any], options: dict[str, Any]) -> Any:
    """The modality's views for these facts."""
    return modality(facts["kind"]).fit(facts, **options)


def facts_of(facts: dict[str, Any], views: Any, n: int) -> Facts:
    """What a method and an encoder are told."""
    return Facts(facts["kind"], n, tuple(views.shape), facts)


def source_of(samples: Samples, views: Any, kind: View, settled: Collection[str] = ()) -> Source:
    """Samples with the program of a kind of view, and with the plain one; `settled` are options that the user gave."""
    return Source(samples, Program(kind, views, settled=settled), Program(Plain(), views))


def hash_of_ids(samples: Samples) -> str:
    """By which a run knows its data again: of all ids, in their order."""
    digest, ids, between = blake2b(digest_size=16), iter(samples.ids), ""
    while some := list(islice(ids, 1 << 16)):  # never all at once: there may be more than memory holds
        digest.update((between + "\n".join(some)).encode("utf-8", "surrogateescape"))
        between = "\n"
    return digest.hexdigest()


def labels_in(samples: Samples) -> int:
    return 0 if samples.labels is None else int(np.sum(samples.labels >= 0))
