"""Series that code makes: a class is a pair of rhythms in two channels, seen under any phase, level, size and drift."""

import numpy as np

from tacit.data.series.samples import SeriesSamples
from tacit.errors import TacitError
from tacit.numerics import counter

RHYTHMS = (2.0, 3.0, 5.0, 7.0, 4.0, 6.0, 8.0, 9.0)  # periods of a series


def rhythms(
    n: int, seed: int = 0, *, classes: int = 4, length: int = 64, noise: float = 0.6, gaps: float = 0.0
) -> SeriesSamples:
    """n series of two channels, each one of `classes` rhythms whose phase, level, size and drift say nothing of the class.

    Channel two is half as fast as channel one, or twice. Sample i is a function of (seed, i): neighbours in the values
    themselves are those of a like phase, so raw series are a poor baseline. `gaps`: the share of values that are missing,
    and then lengths differ, from half to all of `length`. Every fifth is for testing.
    """
    if not 2 <= classes <= 2 * len(RHYTHMS) or length < 16:
        raise TacitError(f"{classes} rhythms of length {length} were asked for; give 2 to {2 * len(RHYTHMS)}, and 16 or more.")
    key, rows = counter.key(seed, "rhythms"), np.arange(n)
    few = counter.uniform(counter.key(key, "few"), rows, 8).astype(np.float64)
    labels = (few[:, 0] * classes).astype(np.int64)
    fast = np.array(RHYTHMS)[labels // 2 % len(RHYTHMS)]
    other = fast * np.where(labels % 2, 2.0, 0.5)
    time = np.arange(length) / length
    waves = np.stack(
        [
            np.sin(2 * np.pi * (rate[:, None] * (0.9 + 0.2 * few[:, 5:6]) * time + phase[:, None]))
            for rate, phase in ((fast, few[:, 1]), (other, few[:, 2]))
        ],
        1,
    )
    drift = 2 * (few[:, 3, None, None] - 0.5) * time + 2 * (few[:, 4, None, None] - 0.5)
    grain = counter.normal(counter.key(key, "grain"), rows, 2 * length).reshape(n, 2, length)
    values = (waves * (0.5 + few[:, 6, None, None]) + drift + noise * grain).astype(np.float32)
    lengths = np.full(n, length)
    if gaps:
        lost = counter.uniform(counter.key(key, "lost"), rows, length) < gaps
        values[np.broadcast_to(lost[:, None], values.shape)] = np.nan
        lengths = np.maximum((length * (0.5 + 0.5 * few[:, 7])).astype(np.int64), 2)
    flat = values.swapaxes(1, 2)[np.arange(length) < lengths[:, None]]
    splits = np.where(rows % 5 == 4, "test", "train")
    ids = [f"{split}/{row:05d}" for split, row in zip(splits, rows)]
    names = tuple(f"rhythm {number + 1}" for number in range(classes))
    return SeriesSamples.of("generated rhythms", flat, lengths, ids, labels=labels, classes=names, splits=splits)
