"""The map of a table: a place in the plane for each row, near to those that its vector is near to."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tacit.embeddings.index import unit
from tacit.embeddings.output import appearing
from tacit.embeddings.places import Address
from tacit.embeddings.read import BATCH, Table
from tacit.embeddings.rows import vectors_of
from tacit.errors import TacitError

LANDMARKS = 30_000  # rows that UMAP places, at most
NEIGHBOURS = 15  # of a landmark, that UMAP keeps near it
ANCHORS = 5  # landmarks that place a row that is none
FEW = 3 * NEIGHBOURS  # rows, fewer than which have too few neighbours: two principal axes place them
EDGE = 0.95  # the farthest place from the middle, along either axis
KEY = "tacit.map"


@dataclass(frozen=True)
class About:
    """What a map was made of; another table, seed or way of making it asks for another map."""

    encoder: str
    table: str  # its mark
    rows: int
    landmarks: int
    seed: int
    made_by: str


class Layout(NamedTuple):
    """A place for each row of a table, in its order."""

    points: np.ndarray  # float32, n × 2, within [−0.95, 0.95]
    about: About


def layout(table: Table, *, seed: int = 0, landmarks: int = LANDMARKS, told: Callable[[str], None]) -> Layout:
    """The map that lies beside a table, made anew where the table has changed since, or where there is none.

    UMAP (McInnes, Healy, Melville 2018, arXiv:1802.03426) places at most `landmarks` rows, drawn by `seed`, and begins at their
    principal axes, which keeps what lies far apart apart (Kobak, Linderman 2021). Every other row lies at the average of its
    `ANCHORS` nearest landmarks, weighted as UMAP weighs neighbours. Vectors compared by the cosine are taken at length one,
    points of the Poincaré ball from its tangent space. Deterministic by seed on one machine and set of libraries; memory holds
    the landmarks and two numbers a row.
    """
    about = wanted(table, seed, landmarks)
    kept = _read(place(table.path))
    if kept is not None and kept.about == about:
        return kept
    told(f"Making a map of {len(table):,} vectors, for {_why(kept, about)}; it is kept beside {table.path}.")
    found = Layout(fitted(_places(table, about, told)), about)
    keep(table.path, found)
    return found


def wanted(table: Table, seed: int = 0, landmarks: int = LANDMARKS) -> About:
    """What the map of a table as it is now is made of."""
    made_by = f"umap-learn {_installed()}"
    return About(table.provenance.encoder, table.mark, len(table), min(landmarks, len(table)), seed, made_by)


def place(path: Path | Address) -> Path:
    """Where the map of a table lies."""
    return path.with_name(f".{path.stem}.map")


def _why(kept: Layout | None, wanted: About) -> str:
    if kept is None:
        return "there is none yet"
    same = (kept.about.encoder, kept.about.table, kept.about.rows) == (wanted.encoder, wanted.table, wanted.rows)
    return "the last was made otherwise" if same else "the table has changed since the last"


def _installed() -> str:
    from importlib.metadata import PackageNotFoundError

    try:
        return version("umap-learn")
    except PackageNotFoundError:
        raise TacitError("A map needs umap-learn, which is not installed; type: pip install 'tacit[explore]'.") from None


def _places(table: Table, about: About, told: Callable[[str], None]) -> np.ndarray:
    """The place of each row, as UMAP scales it."""
    rng = np.random.default_rng(about.seed)
    chosen = np.arange(len(table))
    if about.landmarks < len(table):
        chosen = np.sort(rng.choice(len(table), about.landmarks, replace=False))
    similarity = table.provenance.similarity
    keys = flat(vectors_of(table.at(chosen, ("vector",))), similarity)
    if not np.isfinite(keys).all():
        raise TacitError(f"{table.path} holds vectors with NaN or infinite numbers; embed its data again.")
    start = time.monotonic()
    if len(keys) < FEW:
        landmarks = principal(keys)
    else:
        told(f"UMAP places {len(chosen):,} rows; of 30,000 that takes minutes.")
        landmarks = _umap(keys, about.seed)
        told(f"They are placed after {time.monotonic() - start:.0f} s.")
    points = np.empty((len(table), 2), np.float32)
    points[chosen] = landmarks
    if about.landmarks == len(table):
        return points
    is_landmark = np.zeros(len(table), bool)
    is_landmark[chosen] = True
    at, due = 0, 0.1
    for batch in table.stream(4 * BATCH, ("vector",)):
        left = np.flatnonzero(~is_landmark[at : at + len(batch)])
        if len(left):
            points[at + left] = between(flat(vectors_of(batch)[left], similarity), keys, landmarks)
        at += len(batch)
        if at / len(table) >= due:
            told(f"{at / len(table):.0%} of all rows are placed.")
            due += 0.1
    return points


def flat(vectors: np.ndarray, similarity: str) -> np.ndarray:
    """Vectors so that those near to one another by their similarity have a small Euclidean distance: float32, n × d."""
    if similarity != "poincare":
        return unit(vectors, similarity)
    length = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return (vectors * (np.arctanh(np.minimum(length, 1 - 1e-7)) / np.maximum(length, 1e-12))).astype(np.float32)


def _umap(keys: np.ndarray, seed: int) -> np.ndarray:
    import warnings

    from umap import UMAP

    made: Any = UMAP(n_neighbors=NEIGHBOURS, min_dist=0.1, init=10 * fitted(principal(keys)), random_state=seed, n_jobs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a graph in several parts, which is no fault here
        found = made.fit_transform(keys).astype(np.float32)
    if not np.isfinite(found).all():  # rows without a neighbour, which UMAP leaves out
        found = np.where(np.isfinite(found), found, np.nanmean(found, axis=0))
    return found


def principal(x: np.ndarray) -> np.ndarray:
    """Rows on their two principal axes, each pointing to where its largest weight is positive: float32, n × 2."""
    centred = (x - x.mean(0)).astype(np.float64)
    _, directions = np.linalg.eigh(centred.T @ centred)
    axes = directions[:, ::-1][:, :2]
    axes = axes * np.sign(axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])])
    found = centred @ axes
    if found.shape[1] < 2:
        found = np.concatenate([found, np.zeros_like(found)], axis=1)
    return found.astype(np.float32)


def between(rows: np.ndarray, keys: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The places of rows among landmarks: the average of the nearest ones', weighted by exp(−(d − d₁)/σ), float32, m × 2.

    d₁ is the distance of the nearest, σ the mean of what the others lie beyond it, so that the weights do not depend on the
    scale of the vectors (as UMAP's local connectivity and smooth distances do, section 3.1).
    """
    import torch

    from tacit.numerics.topk import nearest

    # of largest −|x − y|²/2 = xy − |y|²/2 − |x|²/2: an inner product with one number more
    asked = np.concatenate([rows, np.ones((len(rows), 1), np.float32)], axis=1)
    half = np.square(keys).sum(1, keepdims=True) / 2
    found = nearest(
        torch.from_numpy(asked), torch.from_numpy(np.concatenate([keys, -half], axis=1)), min(ANCHORS, len(keys))
    ).positions.numpy()
    apart = np.linalg.norm(rows[:, None] - keys[found], axis=2)
    beyond = apart - apart[:, :1]
    scale = beyond.sum(1, keepdims=True) / max(beyond.shape[1] - 1, 1)
    weights = np.exp(-beyond / np.maximum(scale, 1e-12))
    return (weights[:, :, None] * landmarks[found]).sum(1) / weights.sum(1, keepdims=True)


def fitted(points: np.ndarray) -> np.ndarray:
    """The same map in the middle of the square, its shape kept."""
    low, high = points.min(0), points.max(0)
    size = float((high - low).max()) or 1.0
    return ((points - (low + high) / 2) * (2 * EDGE / size)).astype(np.float32)


def _read(file: Path) -> Layout | None:
    """The map that was kept; None where there is none or it is not whole."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as opened:
            about = About(**json.loads((opened.metadata() or {})[KEY]))
            points = opened.get_tensor("points")
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        return None
    return Layout(points, about) if points.shape == (about.rows, 2) and points.dtype == np.float32 else None


def keep(path: Path | Address, found: Layout) -> None:
    """Write the map of a table beside it, whole or not at all."""
    from safetensors.numpy import save_file

    with appearing(place(path)) as part:
        save_file({"points": np.ascontiguousarray(found.points)}, part, metadata={KEY: json.dumps(asdict(found.about))})
