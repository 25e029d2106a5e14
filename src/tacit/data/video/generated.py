"""Short videos that code draws: a letter that moves over a ground. Sample i is a pure function of (seed, i).

Every fifth is for testing.
"""

import numpy as np

from tacit.data.strokes import ALPHABET, draw, segments
from tacit.data.video.samples import StoredVideos, VideoRows
from tacit.errors import TacitError
from tacit.numerics import counter

CHUNK = 64  # videos drawn together


def moving_letters(n: int, seed: int = 0, size: int = 24, frames: int = 16, letters: int = 4) -> StoredVideos:
    """Videos of one letter each, its class, which crosses the picture on a straight line.

    Size, colours, place, direction and speed (the whole way is 0.8 to 1.6 of half a side) vary and say nothing of the class.
    """
    if not 2 <= letters <= len(ALPHABET):
        raise TacitError(f"{letters} letters were asked for; there are 2 to {len(ALPHABET)}.")
    key, names = counter.key(seed, "letters that move"), tuple(ALPHABET)[:letters]
    rows = np.arange(n)
    labels = (counter.uniform(counter.key(key, "label"), rows, 1)[:, 0] * letters).astype(np.int64)
    pixels = np.empty((n, frames, size, size, 3), np.uint8)
    for start in range(0, n, CHUNK):
        some = rows[start : start + CHUNK]
        pixels[some] = _drawn(segments(names)[labels[some]], some, key, size, frames)
    splits = np.where(rows % 5 == 4, "test", "train")
    ids = [f"{split}/{row:05d}" for split, row in zip(splits, rows)]
    return StoredVideos.of("moving letters", VideoRows(pixels), ids, labels=labels, classes=names, splits=splits)


def _drawn(pieces: np.ndarray, rows: np.ndarray, key: int, size: int, frames: int) -> np.ndarray:
    """Pieces n × p × 2 × 2 of letters as videos, uint8, n × frames × size × size × 3."""
    draws = counter.uniform(counter.key(key, "look"), rows, 12).astype(np.float64)
    scale, angle, way = 0.25 + 0.1 * draws[:, 0], 2 * np.pi * draws[:, 1], 0.8 + 0.8 * draws[:, 2]
    along = way[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)  # of a picture that is −1 … 1
    middle = 0.5 * (draws[:, 3:5] - 0.5)
    place = middle[:, None] + along[:, None] * np.linspace(-0.5, 0.5, frames)[None, :, None]
    where = pieces[:, None] * scale[:, None, None, None, None] + place[:, :, None, None]
    ground, ink = 0.5 * draws[:, 5:8], 0.6 + 0.4 * draws[:, 8:11]
    images = np.repeat(ground, frames, 0)[:, None, None].repeat(size, 1).repeat(size, 2).astype(np.float32)
    draw(images, where.reshape(-1, *pieces.shape[1:]), np.full(len(images), 0.09), np.repeat(ink, frames, 0))
    return np.rint(255 * images).astype(np.uint8).reshape(len(rows), frames, size, size, 3)
