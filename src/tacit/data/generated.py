"""Small sets made by code, for trying things out and for tests: the same on every machine, nothing to download.

Sample i of a set is a pure function of (seed, i): a larger set begins with the smaller one. Every fifth is for testing.
Each set hides its classes from raw features: what is in the way is large, and differs between samples of a class.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from tacit.data.decoding import pool
from tacit.data.images import ImageArrays
from tacit.data.pairs import Pairs
from tacit.data.samples import Samples
from tacit.data.strokes import ALPHABET, draw, segments
from tacit.data.vectors import VectorArrays
from tacit.errors import TacitError
from tacit.numerics import counter

CHUNK = 256  # images drawn together


def glyphs(n: int, seed: int = 0, size: int = 32, classes: int = 10) -> ImageArrays:
    """Letters in random colours, turned by up to 40°, of any size and place, between strokes and blobs that mean nothing.

    n images of size × size, RGB; a class is one of up to 12 letters.
    """
    return _letters(n, counter.key(seed, "glyphs"), size, classes, blobs=2, strokes=3, noise=0.04)


def tiny_images(n: int, size: int = 16, classes: int = 4, seed: int = 0) -> ImageArrays:
    """`glyphs` for tests: smaller, fewer letters, one blob and one stroke in the way."""
    return _letters(n, counter.key(seed, "tiny"), size, classes, blobs=1, strokes=1, noise=0.02)


def clusters(n: int, classes: int = 4, dim: int = 256, seed: int = 0) -> VectorArrays:
    """Vectors of `dim` numbers, of which an eighth tell the class together, each a little; the others vary more and mean nothing.

    What tells the class is told by several features at once, the nuisance by one each. So noise and masking in the views
    destroy the nuisance and leave the class.
    """
    key, rows = counter.key(seed, "clusters"), np.arange(n)
    labels = _labels(key, rows, classes)
    telling = max(dim // 8, 1)
    centres = counter.normal(counter.key(key, "centres"), np.arange(classes), telling)
    values = counter.normal(counter.key(key, "values"), rows, dim)
    values[:, :telling] += centres[labels]
    values[:, telling:] *= 3
    return VectorArrays("generated clusters", values, rows, *_told(rows, labels, classes))


def pairs(n: int, seed: int = 0, classes: int = 4, dim: int = 32) -> Pairs:
    """Two vectors of `dim` numbers that have one hidden variable in common (4 numbers around its class), each mapped in its own way.

    On top of it lies in each part a nuisance of 8 numbers that the other part knows nothing of, and that is larger.
    """
    key, rows = counter.key(seed, "pairs"), np.arange(n)
    labels = _labels(key, rows, classes)
    hidden = counter.normal(counter.key(key, "centres"), np.arange(classes), 4)[labels]
    hidden = hidden + 0.3 * counter.normal(counter.key(key, "hidden"), rows, 4)
    parts = []
    for name in ("first", "second"):
        maps = counter.normal(counter.key(key, name, "map"), np.arange(12), dim)
        nuisance = 3 * counter.normal(counter.key(key, name, "nuisance"), rows, 8)
        values = np.hstack([hidden, nuisance]).astype(np.float32) @ maps
        parts.append(VectorArrays(f"generated {name} parts", values, rows, *_told(rows, labels, classes)))
    return Pairs.of(*parts)


def write(samples: Samples, folder: Path) -> None:
    """Write images as PNG files, folder / split / class / row.png, as `tacit.data.open` reads them."""

    def save(position: int) -> None:
        content, _ = samples.read(np.array([position]))
        place = folder
        if samples.splits is not None:
            place = place / str(samples.splits[position])
        if samples.labels is not None and samples.labels[position] >= 0:
            place = place / samples.classes[samples.labels[position]]
        place.mkdir(parents=True, exist_ok=True)
        pixels = content.pixels[0].numpy()
        Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(
            place / f"{Path(samples.ids[position]).stem}.png"
        )

    list(pool().map(save, range(len(samples))))


def _letters(n: int, key: int, size: int, classes: int, blobs: int, strokes: int, noise: float) -> ImageArrays:
    if not 2 <= classes <= len(ALPHABET):
        raise TacitError(f"{classes} classes of letters were asked for; there are 2 to {len(ALPHABET)}.")
    rows = np.arange(n)
    names = tuple(ALPHABET)[:classes]
    labels = _labels(key, rows, classes)
    font = segments(names)
    pixels = np.empty((n, size, size, 3), np.uint8)
    for start in range(0, n, CHUNK):
        some = rows[start : start + CHUNK]
        pixels[some] = _scenes(key, some, font[labels[some]], size, blobs, strokes, noise)
    ids, labels, _, splits = _told(rows, labels, classes)
    return ImageArrays("generated letters", pixels, rows, ids, labels, names, splits)


def _scenes(key: int, rows: np.ndarray, letters: np.ndarray, size: int, blobs: int, strokes: int, noise: float) -> np.ndarray:
    """Images n × size × size × 3, drawn from the back: ground, blobs, strokes, the letter, noise. Lengths are in half-widths."""

    def drawn(name: str, columns: int, low: float, high: float) -> np.ndarray:
        return low + (high - low) * counter.uniform(counter.key(key, name), rows, columns)

    light = drawn("light", 1, 0.0, 1.0)  # of the ground; the letter differs from it by 0.35 … 0.55
    step = drawn("contrast", 1, 0.35, 0.55)
    scene = np.broadcast_to(_colour(light, drawn("ground", 3, -0.5, 0.5))[:, None, None], (len(rows), size, size, 3)).copy()
    for i in range(blobs + strokes):
        is_blob = i < blobs
        middle = drawn(f"middle {i}", 2, -1, 1)
        angle, reach = drawn(f"angle {i}", 1, 0, 2 * np.pi), drawn(f"reach {i}", 1, 0.1, 0.35)
        along = np.hstack([np.cos(angle), np.sin(angle)]) * reach * (not is_blob)
        radius = drawn(f"radius {i}", 1, 0.15, 0.35)[:, 0] if is_blob else drawn(f"radius {i}", 1, 0.05, 0.08)[:, 0]
        colour = _colour(drawn(f"light {i}", 1, 0, 1), drawn(f"colour {i}", 3, -0.5, 0.5))
        draw(scene, np.stack([middle - along, middle + along], 1)[:, None], radius, colour)
    turn, scale = np.deg2rad(drawn("turn", 1, -40, 40))[:, 0], drawn("scale", 1, 0.45, 0.75)
    place = drawn("place", 2, -1, 1) * (0.9 - scale)
    spun = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]).transpose(2, 0, 1)
    letters = (letters @ spun[:, None]) * scale[:, None, None] + place[:, None, None]
    ink = _colour(np.where(light > 0.5, light - step, light + step), drawn("ink", 3, -0.5, 0.5))
    draw(scene, letters, drawn("pen", 1, 0.06, 0.1)[:, 0], ink)
    grain = counter.normal(counter.key(key, "grain"), rows, scene[0].size).reshape(scene.shape)
    return np.rint(255 * np.clip(scene + noise * grain, 0, 1)).astype(np.uint8)


def _colour(light: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    """RGB, n × 3, of about the given lightness (n × 1)."""
    return np.clip(light + chroma - chroma @ np.array([[0.299], [0.587], [0.114]], np.float32), 0, 1)


def _labels(key: int, rows: np.ndarray, classes: int) -> np.ndarray:
    return (counter.uniform(counter.key(key, "label"), rows, 1)[:, 0] * classes).astype(np.int64)


def _told(rows: np.ndarray, labels: np.ndarray, classes: int) -> tuple[list[str], np.ndarray, tuple[str, ...], np.ndarray]:
    """Ids, labels, names of the classes and splits."""
    splits = np.where(rows % 5 == 4, "test", "train")
    return [f"{split}/{row:05d}" for split, row in zip(splits, rows)], labels, tuple(map(str, range(classes))), splits
