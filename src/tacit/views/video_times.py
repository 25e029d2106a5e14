"""Which frames a clip shows, drawn for whole batches: places are whole numbers of frames from a video's start, int64.

A video that is shorter than a clip is shown from its start, again and again.
"""

import numpy as np


def clips(lengths: np.ndarray, starts: np.ndarray, frames: int, steps: np.ndarray) -> np.ndarray:
    """Clips of so many frames, every `steps`-th (real numbers above 0) from `starts` on: n × frames."""
    places = starts[:, None] + np.floor(np.arange(frames) * steps[:, None] + 1e-6).astype(np.int64)
    return places % lengths[:, None]


def free(lengths: np.ndarray, frames: int, steps: np.ndarray) -> np.ndarray:
    """The largest start at which such a clip still fits; 0 where it never does."""
    return np.maximum(lengths - 1 - np.floor((frames - 1) * steps + 1e-6).astype(np.int64), 0)


def start(room: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """A start from 0 to `room`, each as likely."""
    return np.minimum((draws * (room + 1)).astype(np.int64), room)


def apart(room: np.ndarray, draws: np.ndarray, power: float) -> np.ndarray:
    """Starts of two clips whose interval d has a density that falls as (1 − d/room)^power: n × 2.

    Qian et al. 2021 (CVRL, arXiv:2008.03800, section 3.2); power 1 is their choice, 0 the uniform density. Then the earlier
    clip starts anywhere from 0 to room − d, and which of the two comes first is a toss. draws uniform, n × 3.
    """
    interval = start_of_interval(room, draws[:, 0], power)
    first = start(room - interval, draws[:, 1])
    both = np.stack([first, first + interval], 1)
    return np.where(draws[:, 2:] < 0.5, both, both[:, ::-1])


def start_of_interval(room: np.ndarray, draws: np.ndarray, power: float) -> np.ndarray:
    """The interval by the inverse of its distribution function, 1 − (1 − d/room)^(power + 1), in whole frames."""
    share = 1 - (1 - draws.astype(np.float64)) ** (1 / (power + 1))
    return np.minimum((share * (room + 1)).astype(np.int64), room)


def chosen(weights: np.ndarray, draws: np.ndarray, k: int) -> np.ndarray:
    """k different columns of each row, drawn by weight without replacement (Gumbel's way), in rising order: n × k.

    weights n × m, 0 or more; draws uniform, n × m.
    """
    luck = -np.log(-np.log(draws.astype(np.float64) + 1e-12) + 1e-12)
    order = np.argsort(-(np.log(weights + 1e-9) + luck), axis=1, kind="stable")
    return np.sort(order[:, :k], axis=1)
