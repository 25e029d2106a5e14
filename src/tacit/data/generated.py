"""Small sets made by code, for trying things out and for tests: the same on every machine, nothing to download.

Sample i of a set is a pure function of (seed, i): a larger set begins with the smaller one. Every fifth is for testing.
Each set hides its classes from raw features: what is in the way is large, and differs between samples of a class.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from PIL import Image

from tacit.data.decoding import at_once
from tacit.data.folders import place_in
from tacit.data.images import ImageArrays
from tacit.data.networks.hypergraph import Hypergraph, HypergraphNodes
from tacit.data.pairs import Pairs
from tacit.data.strokes import ALPHABET, draw, segments
from tacit.data.tabular.rows import TableRows, from_arrow
from tacit.data.vectors import VectorArrays
from tacit.errors import TacitError
from tacit.numerics import counter

CHUNK = 256  # images drawn together


class Scene(NamedTuple):
    """What surrounds a letter and how it varies. Lengths are in half-widths of the image, colours in [0, 1]."""

    copies: int = 4  # of the letter, each turned, sized and coloured in its own way, one in each quarter or so
    blobs: int = 1
    strokes: int = 1
    noise: float = 0.03  # standard deviation at each pixel
    turn: float = 40  # degrees to either side
    scale: tuple[float, float] = (0.26, 0.42)
    contrast: tuple[float, float] = (0.25, 0.5)  # of the letter against the ground, to either side
    chroma: float = 0.4  # how far a channel may lie from grey
    slope: float = 0.15  # how much lighter one edge may be than the middle


def glyphs(n: int, seed: int = 0, size: int = 32, classes: int = 10) -> ImageArrays:
    """Four copies of a letter, each of its own colour, size and turn (up to 40°), with a stroke and a blob that mean nothing.

    n images of size × size, RGB; a class is one of up to 12 letters. Two crops of an image mostly show different copies, so
    that what they have in common is the letter. Pixels know little of it: `tacit demo` measures how little.
    """
    return _letters(n, counter.key(seed, "glyphs"), size, classes, Scene())


def tiny_images(n: int, size: int = 16, classes: int = 4, seed: int = 0) -> ImageArrays:
    """Cloth for tests: striped across, along or aslant, or checked; of any colour and width of stripe, lit from one side.

    n images of size × size, RGB; a class is one of up to 4 patterns, which mirroring and cropping leave as they are.
    Measured by `evaluation.knn.knn` on `tiny_images(1000)`: raw pixels 0.39, a random small convolutional network 0.37, the
    same after 25 epochs of SimCLR (10 s on one core, one seed) 0.79.
    """
    if not 2 <= classes <= 4:
        raise TacitError(f"{classes} classes of cloth were asked for; there are 2 to 4.")
    key, rows = counter.key(seed, "tiny"), np.arange(n)
    labels = _labels(key, rows, classes)
    grid = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5

    def drawn(name: str, low: float, high: float, columns: int = 1) -> np.ndarray:
        draws = low + (high - low) * counter.uniform(counter.key(key, name), rows, columns)
        return draws[:, None, None] if columns > 1 else draws[:, :, None]  # n × 1 × 1 (× columns)

    def waves(name: str, angle: np.ndarray) -> np.ndarray:
        across = grid * np.cos(angle) + grid[:, None] * np.sin(angle)
        return np.sin(2 * np.pi * (drawn(f"{name} rate", 2, 4) * across + drawn(f"{name} phase", 0, 1)))

    sign = np.where(drawn("sign", 0, 1) < 0.5, -1, 1)
    aslant = (labels == 2)[:, None, None] * sign * np.pi / 4
    angle = (labels == 1)[:, None, None] * np.pi / 2 + aslant + drawn("wobble", -0.15, 0.15)
    warp, weft = waves("warp", angle), waves("weft", angle + np.pi / 2)
    cloth = np.where((labels == 3)[:, None, None], (2 * warp * weft).clip(-1, 1), (1.5 * warp).clip(-1, 1))
    light = drawn("light", 0.3, 0.7) + 2 * (drawn("left", -0.5, 0.5) * grid + drawn("up", -0.5, 0.5) * grid[:, None])
    pattern = (sign * drawn("contrast", 0.1, 0.25) * cloth)[..., None] * (1 + drawn("dye", -0.5, 0.5, 3))
    grain = counter.normal(counter.key(key, "grain"), rows, size * size * 3).reshape(n, size, size, 3)
    images = light[..., None] + drawn("colour", -0.25, 0.25, 3) + pattern + 0.1 * grain
    ids, labels, _, splits = _told(rows, labels, classes)
    names = ("across", "along", "aslant", "checked")[:classes]
    return ImageArrays("generated cloth", np.rint(255 * images.clip(0, 1)).astype(np.uint8), rows, ids, labels, names, splits)


def clusters(n: int, classes: int = 4, dim: int = 64, seed: int = 0) -> VectorArrays:
    """Vectors of `dim` numbers, of which an eighth tell the class together, each a little; the others vary ten times as much.

    What tells the class is told by several features at once, the nuisance by one each. So noise and masking in the views
    destroy the nuisance and leave the class. Measured by `evaluation.knn.knn` on `clusters(2000)`: raw 0.31; standardised,
    which undoes the scale of the nuisance, 0.91.
    """
    key, rows = counter.key(seed, "clusters"), np.arange(n)
    labels = _labels(key, rows, classes)
    telling = max(dim // 8, 1)
    centres = counter.normal(counter.key(key, "centres"), np.arange(classes), telling)
    values = counter.normal(counter.key(key, "values"), rows, dim)
    values[:, :telling] += 1.2 * centres[labels]
    values[:, telling:] *= 10
    return VectorArrays("generated clusters", values, rows, *_told(rows, labels, classes))


def table(n: int, classes: int = 4, seed: int = 0) -> TableRows:
    """Rows of 12 categories, 8 numbers, a date and a boolean, of which some cells are missing; a class tells half of them.

    What tells the class is told a little by each of 10 columns, of the others each varies for itself, and more widely. So
    cells exchanged between rows destroy the others and leave the class.
    """
    key, rows = counter.key(seed, "table"), np.arange(n)
    labels = _labels(key, rows, classes)
    draws = counter.uniform(counter.key(key, "cells"), rows, 24)
    noise = counter.normal(counter.key(key, "numbers"), rows, 8)
    hints = counter.uniform(counter.key(key, "hints"), np.arange(classes), 6)
    columns: dict[str, pa.Array] = {}
    for i in range(12):  # over columns
        own = (labels + i) % classes if i < 6 else labels * 0
        share = 0.45 if i < 6 else 0.0
        values = np.where(draws[:, i] < share, own, (draws[:, i] * 7919 % 1 * (classes if i < 6 else 9)).astype(int))
        gone = draws[:, 12 + i] < 0.02
        columns[f"category {i}"] = pa.array([f"v{value}" for value in values], mask=gone)
    for i in range(8):
        columns[f"number {i}"] = pa.array(noise[:, i] * 2 + (4 * hints[labels, i] if i < 4 else 0))
    columns["day"] = pa.array((draws[:, 0] * 3e9).astype("datetime64[s]"))
    columns["flag"] = pa.array(draws[:, 5] < 0.5)
    split = np.where(rows % 5 == 4, "test", "train")
    table = pa.table(columns | {"label": pa.array(labels), "split": pa.array(split)})
    return from_arrow(table, "generated table")


def pairs(n: int, seed: int = 0, classes: int = 4, dim: int = 32) -> Pairs:
    """Two vectors of `dim` numbers that have a hidden variable in common (4 numbers around its class), mapped differently.

    On top of it lies in each part a larger nuisance of 8 numbers, of which the other part knows nothing. Measured by
    `evaluation.knn.knn` on `pairs(2000)`: 0.40 in the raw first parts, 0.46 in the second.
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


def groups(n: int, classes: int = 4, words: int = 64, seed: int = 0) -> HypergraphNodes:
    """Nodes of a hypergraph, described by words of which few tell the class; n hyperedges of 2 to 5 nodes, mostly of one class.

    The one set here whose samples depend on n, since they are joined with each other.
    """
    key, rows = counter.key(seed, "groups"), np.arange(n)
    labels = _labels(key, rows, classes)
    likely = np.where(np.arange(words) % (2 * classes) == np.arange(classes)[:, None], 0.25, 0.1)
    features = counter.uniform(counter.key(key, "words"), rows, words) < likely[labels]
    ids, labels, names, splits = _told(rows, labels, classes)
    draws = counter.uniform(counter.key(key, "members"), rows, 12)
    sizes, about = 2 + (4 * draws[:, 0]).astype(int), (classes * draws[:, 1]).astype(int)
    order, counts = np.argsort(labels, kind="stable"), np.bincount(labels, minlength=classes)
    starts = np.cumsum(counts) - counts
    alike = order[starts[about][:, None] + (counts[about][:, None] * draws[:, 2:7]).astype(int)]
    members = np.where(draws[:, 7:] < 0.85, alike, (n * draws[:, 2:7]).astype(int))
    edges = np.repeat(rows[:, None], 5, 1)
    told = np.unique(np.stack([edges, members], 2)[np.arange(5) < sizes[:, None]], axis=0)  # no node twice in a hyperedge
    graph = Hypergraph.of(told[:, 1], told[:, 0], n, features.astype(np.float32))
    return HypergraphNodes("generated groups", graph, rows, ids, labels, names, splits)


def write(samples: ImageArrays, folder: Path) -> None:
    """Write images as PNG files, folder / split / class / row.png, as `tacit.data.open` reads them."""

    def save(position: int) -> None:
        content, _ = samples.read(np.array([position]))
        place = place_in(folder, samples, position)
        pixels = content.pixels[0].numpy()
        Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(
            place / f"{Path(samples.ids[position]).stem}.png"
        )

    at_once(save, range(len(samples)))


def _letters(n: int, key: int, size: int, classes: int, scene: Scene) -> ImageArrays:
    if not 2 <= classes <= len(ALPHABET):
        raise TacitError(f"{classes} classes of letters were asked for; there are 2 to {len(ALPHABET)}.")
    rows = np.arange(n)
    names = tuple(ALPHABET)[:classes]
    labels = _labels(key, rows, classes)
    font = segments(names)
    pixels = np.empty((n, size, size, 3), np.uint8)
    for start in range(0, n, CHUNK):
        some = rows[start : start + CHUNK]
        pixels[some] = _scenes(key, some, font[labels[some]], size, scene)
    ids, labels, _, splits = _told(rows, labels, classes)
    return ImageArrays("generated letters", pixels, rows, ids, labels, names, splits)


def _scenes(key: int, rows: np.ndarray, letters: np.ndarray, size: int, scene: Scene) -> np.ndarray:
    """Images n × size × size × 3, drawn from the back: ground, blobs, strokes, the letter, noise."""

    def drawn(name: str, columns: int, low: float, high: float) -> np.ndarray:
        return low + (high - low) * counter.uniform(counter.key(key, name), rows, columns)

    def colour(name: str, light: np.ndarray) -> np.ndarray:
        chroma = drawn(f"{name} chroma", 3, -scene.chroma, scene.chroma)
        return np.clip(light + chroma - chroma @ np.array([[0.299], [0.587], [0.114]], np.float32), 0, 1)

    light = drawn("light", 1, 0, 1)
    images = np.broadcast_to(colour("ground", light)[:, None, None], (len(rows), size, size, 3)).copy()
    for name in [f"blob {i}" for i in range(scene.blobs)] + [f"stroke {i}" for i in range(scene.strokes)]:
        is_blob = name.startswith("blob")
        angle, middle = drawn(f"{name} angle", 1, 0, 2 * np.pi), drawn(f"{name} middle", 2, -1, 1)
        along = np.hstack([np.cos(angle), np.sin(angle)]) * (0 if is_blob else drawn(f"{name} reach", 1, 0.1, 0.35))
        radius = drawn(f"{name} radius", 1, *((0.15, 0.35) if is_blob else (0.05, 0.08)))[:, 0]
        draw(
            images,
            np.stack([middle - along, middle + along], 1)[:, None],
            radius,
            colour(name, drawn(f"{name} light", 1, 0, 1)),
        )
    for i in range(scene.copies):
        turn = np.deg2rad(drawn(f"turn {i}", 1, -scene.turn, scene.turn))[:, 0]
        spun = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]).transpose(2, 0, 1)
        scale, pen = drawn(f"scale {i}", 1, *scene.scale), drawn(f"pen {i}", 1, 0.05, 0.08)[:, 0]
        quarter = np.array([i % 2 - 0.5, i // 2 % 2 - 0.5], np.float32)
        copy = (letters @ spun[:, None]) * scale[:, None, None] + (quarter + drawn(f"place {i}", 2, -0.12, 0.12))[:, None, None]
        ink = drawn(f"contrast {i}", 1, *scene.contrast)
        draw(images, copy, pen, colour(f"ink {i}", np.where(light > 0.5, light - ink, light + ink)))
    grid = np.linspace(-1, 1, size, dtype=np.float32)
    slope = drawn("slope", 2, -scene.slope, scene.slope)[:, :, None, None]
    images += (slope[:, 0] * grid + slope[:, 1] * grid[:, None])[..., None]
    grain = counter.normal(counter.key(key, "grain"), rows, images[0].size).reshape(images.shape)
    return np.rint(255 * np.clip(images + scene.noise * grain, 0, 1)).astype(np.uint8)


def _labels(key: int, rows: np.ndarray, classes: int) -> np.ndarray:
    return (counter.uniform(counter.key(key, "label"), rows, 1)[:, 0] * classes).astype(np.int64)


def _told(rows: np.ndarray, labels: np.ndarray, classes: int) -> tuple[list[str], np.ndarray, tuple[str, ...], np.ndarray]:
    """Ids, labels, names of the classes and splits."""
    splits = np.where(rows % 5 == 4, "test", "train")
    return [f"{split}/{row:05d}" for split, row in zip(splits, rows)], labels, tuple(map(str, range(classes))), splits
