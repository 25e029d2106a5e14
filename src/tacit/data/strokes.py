"""A stroke font of twelve letters and a pen that draws it, on many images at once."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

Line = tuple[tuple[float, float], ...]

_ROUND: Line = tuple((0.8 * float(np.cos(a)), float(np.sin(a))) for a in np.linspace(0, 2 * np.pi, 11))
ALPHABET: dict[str, tuple[Line, ...]] = {  # polylines in −1 … 1, x to the right and y down
    "A": (((-0.7, 1), (0, -1), (0.7, 1)), ((-0.4, 0.25), (0.4, 0.25))),
    "E": (((0.6, -1), (-0.6, -1), (-0.6, 1), (0.6, 1)), ((-0.6, 0), (0.4, 0))),
    "H": (((-0.65, -1), (-0.65, 1)), ((0.65, -1), (0.65, 1)), ((-0.65, 0), (0.65, 0))),
    "K": (((-0.6, -1), (-0.6, 1)), ((0.6, -1), (-0.6, 0.1)), ((-0.2, -0.2), (0.65, 1))),
    "O": (_ROUND,),
    "P": (((-0.6, 1), (-0.6, -1), (0.3, -1), (0.65, -0.7), (0.65, -0.25), (0.3, 0), (-0.6, 0)),),
    "S": (
        (
            (0.6, -0.7),
            (0.2, -1),
            (-0.3, -1),
            (-0.6, -0.6),
            (-0.4, -0.15),
            (0.4, 0.15),
            (0.6, 0.6),
            (0.3, 1),
            (-0.2, 1),
            (-0.6, 0.7),
        ),
    ),
    "T": (((-0.75, -1), (0.75, -1)), ((0, -1), (0, 1))),
    "X": (((-0.65, -1), (0.65, 1)), ((0.65, -1), (-0.65, 1))),
    "Z": (((-0.65, -1), (0.65, -1), (-0.65, 1), (0.65, 1)),),
    "L": (((-0.5, -1), (-0.5, 1), (0.6, 1)),),
    "U": (((-0.65, -1), (-0.65, 0.4), (-0.35, 1), (0.35, 1), (0.65, 0.4), (0.65, -1)),),
}


def segments(letters: Sequence[str]) -> np.ndarray:
    """Each letter as straight pieces: float32, letters × pieces × 2 ends × 2; shorter ones repeat their last piece."""
    pieces = [[piece for line in ALPHABET[letter] for piece in pairwise(line)] for letter in letters]
    most = max(map(len, pieces))
    return np.array([own + own[-1:] * (most - len(own)) for own in pieces], np.float32)


def draw(images: np.ndarray, pieces: np.ndarray, radius: np.ndarray, colour: np.ndarray) -> None:
    """Draw straight pieces with round ends on each image, in place, their edges smooth over one pixel.

    images float32, n × size × size × 3; pieces n × k × 2 ends × 2 (x and y in −1 … 1); radius n; colour n × 3.
    """
    size = images.shape[1]
    grid = ((np.arange(size, dtype=np.float32) + 0.5) / size) * 2 - 1
    nearest = np.full(images.shape[:3], np.inf, np.float32)  # squared distance to the nearest piece
    for start, end in pieces.astype(np.float32).transpose(1, 2, 0, 3):
        along = end - start
        x, y = grid - start[:, :1], grid - start[:, 1:]  # n × size each
        length = np.maximum((along**2).sum(1), 1e-12)[:, None]
        at = (x * along[:, :1] / length)[:, None] + (y * along[:, 1:] / length)[:, :, None]
        np.clip(at, 0, 1, out=at)
        away = (x[:, None] - at * along[:, 0, None, None]) ** 2 + (y[:, :, None] - at * along[:, 1, None, None]) ** 2
        np.minimum(nearest, away, out=nearest)
    cover = np.clip((radius[:, None, None] - np.sqrt(nearest)) * (size / 2) + 0.5, 0, 1)[..., None]
    images += cover * (colour.astype(np.float32)[:, None, None] - images)
