"""The captions of images, one or several each: a look draws one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from tacit.data.pairs import Pairs
from tacit.data.samples import Samples
from tacit.data.selecting import selected
from tacit.data.text.samples import Texts, TextSamples
from tacit.errors import TacitError
from tacit.numerics import counter

NONE = "it has no caption"


class Several(NamedTuple):
    """The captions of n images as tokens, those of an image one after another."""

    texts: Texts
    offsets: Tensor  # int64, n + 1: image i has the texts from offsets[i] on, up to before offsets[i + 1]

    def drawn(self, luck: Tensor | None = None) -> Texts:
        """One caption of each image: by `luck`, n numbers in [0, 1), else the first."""
        row, counts = self.offsets[:-1], self.offsets.diff()
        if luck is not None:
            row = row + (luck.to(row.device) * counts).long().clamp_max(counts - 1)
        starts, lengths = self.texts.offsets[row], self.texts.offsets.diff()[row]
        offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
        place = torch.arange(int(offsets[-1]), device=row.device) + (starts - offsets[:-1]).repeat_interleave(lengths)
        return Texts(self.texts.tokens[place], offsets)


@dataclass(eq=False, repr=False)
class Captions(Samples):
    """One sample for each image: all its captions. `texts` holds no caption that cannot be read; `wrong` says of an image
    without any why it has none."""

    source: str
    texts: TextSamples
    starts: np.ndarray  # int64, n + 1: of image i the texts from starts[i] on
    ids: Sequence[str]
    wrong: Mapping[int, str] = field(default_factory=dict)  # by position
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    kind = "text"

    def read(self, index: np.ndarray) -> tuple[Several, dict[int, str]]:
        positions = np.asarray(index, np.int64)
        rows, owner = self.rows(positions)
        content, empty = self.texts.read(rows)
        owner = owner[[row not in empty for row in rows.tolist()]]
        counts = np.bincount(owner, minlength=len(positions))
        bad = {int(i): self.wrong.get(int(i), NONE) for i, count in zip(positions, counts) if not count}
        offsets = np.concatenate([[0], counts[counts > 0].cumsum()]).astype(np.int64)
        return Several(content, torch.from_numpy(offsets)), bad

    def rows(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which texts are the captions of these images, and for each the place of its image in `index`: int64."""
        counts = self.starts[index + 1] - self.starts[index]
        owner = np.repeat(np.arange(len(index)), counts)
        inside = np.arange(len(owner)) - np.repeat(counts.cumsum() - counts, counts)
        return self.starts[index][owner] + inside, owner

    def take(self, index: np.ndarray) -> "Captions":
        index = np.asarray(index, np.int64)
        rows, owner = self.rows(index)
        starts = np.concatenate([[0], np.bincount(owner, minlength=len(index)).cumsum()]).astype(np.int64)
        wrong = {new: self.wrong[old] for new, old in enumerate(index.tolist()) if old in self.wrong}
        return replace(self, texts=self.texts.take(rows), starts=starts, wrong=wrong, **selected(self, index))

    def facts(self) -> dict[str, Any]:
        return self.texts.facts()

    def statistics(self) -> dict[str, Any]:
        return self.texts.statistics()

    def fitted(self, facts: Mapping[str, Any]) -> "Captions":
        """The same captions in the tokens of `facts`."""
        return replace(self, texts=self.texts.fitted(facts))

    def said(self, index: Sequence[int], letters: int = 200) -> list[str]:
        """The first caption of each image; of one without any nothing."""
        asked = np.asarray(index, np.int64)
        there = self.starts[asked + 1] > self.starts[asked]
        found = iter(self.texts.said(self.starts[asked[there]].tolist(), letters))
        return [next(found) if any_ else "" for any_ in there.tolist()]

    def look(self, drawn: np.ndarray, most: int) -> dict[str, Any]:
        """What `tacit inspect` shows, in the fields of `data.inspecting`."""
        counts = np.diff(self.starts)
        texts = self.texts.look(counter.permutation(counter.key("inspect"), len(self.texts)), most)
        about = f"{len(self.texts):,}, of an image {counts.min()} to {counts.max()}"
        return texts | {"notes": {"captions": about, **texts["notes"]}, "trouble": dict(self.wrong), "duplicates": 0}


def captioned(
    images: Samples,
    captions: Sequence[Sequence[str | None]],
    wrong: Mapping[int, str],
    ignored: Mapping[str, int],
    notes: Mapping[str, str],
) -> Pairs:
    """Images and the captions of each; empty ones are left out and counted, `wrong` says why an image has none."""
    kept = [[text for text in own if text and text.strip()] for own in captions]
    starts = np.concatenate([[0], np.cumsum([len(own) for own in kept])]).astype(np.int64)
    if not starts[-1]:
        raise TacitError(f"{images.source} holds no caption with a letter; give each image a text.")
    because = {i: wrong.get(i, NONE) for i, own in enumerate(kept) if not own}
    empty = sum(len(own) - len(good) for own, good in zip(captions, kept) if good)
    texts = [text for own in kept for text in own]
    ids = [f"{images.ids[i]}#{k}" for i, own in enumerate(kept) for k in range(len(own))]
    values = pa.chunked_array([pa.array(texts, pa.large_string())])
    second = Captions(
        images.source, TextSamples(images.source, values, np.arange(len(texts)), ids), starts, list(images.ids), because
    )
    pairs = Pairs.of(images, second)
    pairs.source, pairs.notes = images.source, dict(notes)
    pairs.ignored = {**ignored, **({"empty captions beside others": empty} if empty else {})}
    return pairs
