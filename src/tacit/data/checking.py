"""Everything is read once before training: the corrupt are dropped and named, and what fits is kept decoded."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tacit.data.caching import Cached, pack
from tacit.data.clouds.samples import Keep as KeepClouds
from tacit.data.clouds.samples import StoredClouds
from tacit.data.images import EncodedImages, ImageArrays
from tacit.data.memory import DISK, free_memory
from tacit.data.pairs import Pairs
from tacit.data.samples import Corrupt, Images, Parts, Samples, Vectors
from tacit.data.sounds.samples import Keep as KeepSounds
from tacit.data.sounds.samples import SoundSamples
from tacit.errors import TacitError

CHUNK = 256  # samples read together
SHARE, MOST = 0.25, 4 * 2**30  # of the free memory, and bytes, that decoded images may take on one machine
THRESHOLD = 0.01  # the share of corrupt samples above which nothing is done with the others

Progress = Callable[[int, int], None]  # how many of how many have been read


def verify(samples: Samples, threshold: float = THRESHOLD, progress: Progress | None = None) -> tuple[Samples, list[Corrupt]]:
    """Read all samples once, a few at a time, and drop those that cannot be read.

    Gives the readable ones and what was dropped: encoded images kept decoded in memory, as many as fit into a quarter of what
    is free and 4 GiB, sounds and point clouds in a temporary file that is mapped, where half of the free disk holds them all.
    Raises TacitError where more than `threshold` of all is corrupt, where fewer than 2 samples remain, and where vectors hold
    NaN or infinity, which is a mistake in the array and not bad luck with a file. Warns where 16-bit images are brighter than
    the bits by which they are scaled.
    """
    n = len(samples)
    bad: dict[int, str] = {}
    keep = _keeper(samples)
    for start in range(0, n, CHUNK):
        index = np.arange(start, min(start + CHUNK, n))
        content, wrong = samples.read(index)
        bad |= wrong
        _refuse_infinite(content, np.array([i for i in index.tolist() if i not in wrong]), samples)
        if keep is not None:
            keep.add(content.first if isinstance(content, Parts) else content)
        if progress is not None:
            progress(int(index[-1]) + 1, n)
    corrupt = [Corrupt(samples.ids[position], why) for position, why in sorted(bad.items())]
    if len(corrupt) > threshold * n:
        raise TacitError(_too_many(corrupt, samples, threshold))
    if n - len(corrupt) < 2:
        raise TacitError(
            f"{samples.source} holds {n - len(corrupt)} sample that can be read; at least 2 are needed to compare: give more."
        )
    _warn_of_clipped(samples)
    good = samples.take(np.array([i for i in range(n) if i not in bad], np.int64)) if bad else samples
    if keep is None:
        return good, corrupt
    kept = replace(good, first=keep.done(good.first)) if isinstance(good, Pairs) else keep.done(good)
    return kept, corrupt


def readable(samples: Samples, batches: Iterable[np.ndarray], corrupt: list[Corrupt]) -> Iterator[tuple[Any, np.ndarray]]:
    """The content and the positions of what can be read at these positions, batch by batch; what cannot joins `corrupt`.

    Raises TacitError once more than one per cent of all samples cannot be read.
    """
    for index in batches:
        content, bad = samples.read(index)
        corrupt += [Corrupt(samples.ids[position], why) for position, why in bad.items()]
        refuse_many(corrupt, samples)
        good = np.array([position for position in index.tolist() if position not in bad], np.int64)
        if len(good):
            yield content, good


def refuse_many(corrupt: Sequence[Corrupt], samples: Samples) -> None:
    """Raise TacitError where more than one per cent of all samples cannot be read."""
    if len(corrupt) > THRESHOLD * len(samples):
        first = "; ".join(f"{sample.id} ({sample.why})" for sample in corrupt[:3])
        raise TacitError(
            f"More than {THRESHOLD:.0%} of {samples.source} cannot be read, {len(corrupt)} so far: {first}; "
            "mend or remove them."
        )


def _keeper(samples: Samples) -> "_Keep | KeepClouds | KeepSounds | None":
    """What keeps samples of this kind in memory once they were read, if anything does."""
    if isinstance(samples, Pairs) and isinstance(samples.first, EncodedImages):
        return _keeper(samples.first)
    if isinstance(samples, EncodedImages):
        return _Keep(samples)
    if isinstance(samples, SoundSamples):
        return KeepSounds(DISK / _together()) if samples.kept is None else None
    return KeepClouds(DISK / _together()) if isinstance(samples, StoredClouds) else None


def _together() -> int:
    """Processes of torchrun on this machine, which share its memory."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


class _Keep:
    """A buffer that takes decoded images as long as they fit; the others are decoded anew in each epoch.

    The system gives it memory only where it is written.
    """

    def __init__(self, samples: EncodedImages):
        channels, side = samples.shape[0], samples.side
        most = len(samples) * 2 * side * side * channels  # `fit` keeps every image below this
        self.values = np.empty(int(min(SHARE * free_memory() / _together(), MOST / _together(), most)), np.uint8)
        self.used, self.full, self.channels = 0, False, channels
        self.sizes: list[np.ndarray] = []

    def add(self, content: Images) -> None:
        """Keep a batch, unless it or one before it did not fit."""
        self.full |= self.used + int(content.sizes.prod(1).sum()) * self.channels > len(self.values)
        if not self.full:
            self.used += pack(content, self.values[self.used :])
        self.sizes.append(content.sizes.numpy())

    def done(self, samples: Samples) -> Samples:
        self.values.resize(self.used, refcheck=False)  # gives the rest back
        if not self.used:
            return samples
        return Cached.of(samples, self.values, np.concatenate(self.sizes), self.channels)


def _refuse_infinite(content: Images | Vectors | Parts, index: np.ndarray, samples: Samples) -> None:
    if isinstance(content, Parts):
        for part in content:
            _refuse_infinite(part, index, samples)
    elif isinstance(content, Vectors):
        broken = ~content.values.isfinite().all(1).numpy()
        if broken.any():
            row = index[broken.argmax()]
            raise TacitError(f"Row {samples.ids[row]} of {samples.source} holds NaN or infinity; remove it or fill it in.")


def _warn_of_clipped(samples: Samples) -> None:
    """Of images that lose what is bright, for the bits were guessed from a few of them, or learned from others."""
    if isinstance(samples, Pairs):
        for part in (samples.first, samples.second):
            _warn_of_clipped(part)
    elif isinstance(samples, EncodedImages | ImageArrays) and (clipped := samples.clipped.intersection(samples.rows.tolist())):
        warnings.warn(
            f"{len(clipped):,} of the {len(samples):,} images of {samples.source} are brighter than the {samples.bits} "
            f"bits by which 16-bit values are scaled, and white above {2**samples.bits - 1:,}; to keep what is brighter, "
            "pretrain in Python on tacit.open(…).with_bits(16).",
            stacklevel=3,
        )


def _too_many(corrupt: list[Corrupt], samples: Samples, threshold: float) -> str:
    first = "; ".join(f"{one.id}: {one.why}" for one in corrupt[:3]) + ("; …" if len(corrupt) > 3 else "")
    return (
        f"{len(corrupt)} of {len(samples)} samples of {samples.source} cannot be read ({first}), "
        f"more than the {threshold:.0%} allowed; remove or replace them (`tacit inspect` lists them)."
    )
