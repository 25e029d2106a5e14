"""Point clouds of a folder or an array, moved to the origin and scaled to radius 1 when they are read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from tacit.data.clouds.formats import READERS, read
from tacit.data.decoding import Unreadable, at_once
from tacit.data.folders import Files, scan
from tacit.data.memory import Spill
from tacit.data.samples import Samples
from tacit.data.selecting import selected
from tacit.errors import TacitError
from tacit.numerics import counter

KEPT = 2048  # points kept of a cloud
FEWEST = 16  # different points that a cloud must have
SUFFIXES = frozenset(READERS)
PROBED = 64  # clouds of which the number of points is looked at when a source is opened


class Clouds(NamedTuple):
    """Point clouds around the origin in random order, the farthest point of each at distance 1."""

    points: Tensor  # float32, n × p × 3, zeros behind the points of each
    counts: Tensor  # int64, n: how many points each has


class Store(Protocol):
    """Where clouds lie."""

    def points(self, row: int) -> np.ndarray:
        """float64, p × 3, as they lie there; raises Unreadable."""

    def path(self, row: int) -> str | None: ...

    def weight(self, rows: Sequence[int]) -> int:
        """Bytes."""

    def form(self, row: int) -> str:
        """The file's format, or the array's type."""


@dataclass(frozen=True, eq=False)
class CloudFiles(Files):
    """A file for each cloud."""

    def points(self, row: int) -> np.ndarray:
        return read(self.content(row))

    def form(self, row: int) -> str:
        return self.content(row).suffix.lower().lstrip(".")


@dataclass(frozen=True, eq=False)
class CloudRows:
    """Clouds of equally many points in one array, N × p × 3."""

    values: np.ndarray

    def points(self, row: int) -> np.ndarray:
        return self.values[row].astype(np.float64)

    def path(self, row: int) -> str | None:
        return None

    def weight(self, rows: Sequence[int]) -> int:
        return self.values.dtype.itemsize * int(np.prod(self.values.shape[1:])) * len(rows)

    def form(self, row: int) -> str:
        return str(self.values.dtype)


@dataclass(eq=False, repr=False)
class StoredClouds(Samples):
    """Clouds of a store, read when asked for; of one of more than KEPT points so many are drawn."""

    source: str
    store: Store
    rows: np.ndarray  # int64: the row of each sample in the store
    ids: list[str]
    typical: int  # points of the median cloud
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    ignored: Mapping[str, int] = field(default_factory=dict)
    kind = "cloud"

    @classmethod
    def of(cls, source: str, store: Store, ids: list[str], **rest: Any) -> "StoredClouds":
        """All rows of a store, of which a few are looked at."""
        probed = np.unique(np.linspace(0, len(ids) - 1, min(len(ids), PROBED)).astype(int)).tolist()
        found = at_once(lambda row: _attempt(store, row), probed, [ids[row] for row in probed])
        counts = [len(points) for points in found if not isinstance(points, Unreadable)]
        if not counts:
            raise TacitError(
                f"None of the {len(probed)} clouds tried in {source} can be read ({ids[probed[0]]}: {found[0]}); "
                "check the files."
            )
        return cls(source, store, np.arange(len(ids)), ids, int(np.median(counts)), **rest)

    def read(self, index: np.ndarray) -> tuple[Clouds, dict[int, str]]:
        positions = np.asarray(index).tolist()
        found = at_once(lambda i: _attempt(self.store, int(self.rows[i])), positions, [self.ids[i] for i in positions])
        bad = {i: str(points) for i, points in zip(positions, found) if isinstance(points, Unreadable)}
        return padded([points for points in found if not isinstance(points, Unreadable)]), bad

    def take(self, index: np.ndarray) -> "StoredClouds":
        return replace(self, rows=self.rows[index], **selected(self, index))

    def facts(self) -> dict[str, Any]:
        return {"kind": self.kind, "shape": [self.typical, 3], "points": self.typical}

    def statistics(self) -> dict[str, Any]:
        return {}  # clouds are normalised each by itself

    def path(self, position: int) -> str | None:
        return self.store.path(int(self.rows[position]))

    def look(self, drawn: np.ndarray, most: int) -> dict[str, Any]:
        """What `tacit inspect` shows of up to `most` clouds, in the fields of `data.inspecting`."""
        chosen = np.sort(drawn[:most])
        trouble: dict[int, str] = {}
        sizes, digests = [], []
        for position in chosen.tolist():
            try:
                points = self.store.points(int(self.rows[position]))
                tidy(points)
                sizes.append([len(points)])
                digests.append(sha256(points.tobytes()).digest())
            except Unreadable as error:
                trouble[position] = str(error)
        notes = {"points": "each cloud is moved to the origin and scaled to radius 1"}
        if sizes and max(sizes)[0] > KEPT:
            notes["points"] += f"; of one of more than {KEPT:,} so many are drawn"
        return {
            "sizes": np.array(sizes or [[0]]),
            "modes": {},
            "formats": dict(Counter(self.store.form(int(row)) for row in self.rows)),
            "bytes": self.store.weight(self.rows.tolist()),
            "looked_at": len(chosen),
            "decoded": len(chosen),
            "trouble": trouble,
            "duplicates": len(digests) - len(set(digests)),
            "ignored": self.ignored,
            "notes": notes,
        }


@dataclass(eq=False, repr=False)
class CloudArrays(Samples):
    """Clouds in memory, normalised and in random order, one after another in one array."""

    source: str
    values: np.ndarray  # float32, points of all × 3
    offsets: np.ndarray  # int64, clouds + 1: where each begins
    rows: np.ndarray
    ids: list[str]
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    origin: StoredClouds | None = None  # what was read into memory, in the order of `offsets`
    kind = "cloud"

    def read(self, index: np.ndarray) -> tuple[Clouds, dict[int, str]]:
        rows = self.rows[index]
        counts = self.offsets[rows + 1] - self.offsets[rows]
        place = np.arange(counts.max(initial=0))
        there = place < counts[:, None]
        points = self.values[np.where(there, self.offsets[rows][:, None] + place, 0)] * there[:, :, None]
        return Clouds(torch.from_numpy(points), torch.from_numpy(counts)), {}

    def take(self, index: np.ndarray) -> "CloudArrays":
        return replace(self, rows=self.rows[index], **selected(self, index))

    def facts(self) -> dict[str, Any]:
        if self.origin is not None:
            return self.origin.facts()
        typical = int(np.median(np.diff(self.offsets)[self.rows])) if len(self.rows) else 0
        return {"kind": self.kind, "shape": [typical, 3], "points": typical}

    def statistics(self) -> dict[str, Any]:
        return {}

    def path(self, position: int) -> str | None:
        return None if self.origin is None else self.origin.path(int(self.rows[position]))


class Keep:
    """Puts clouds on disk as they are read, as long as there is room (`memory.Spill`)."""

    def __init__(self, share: float):
        self.values = Spill(np.float32, share)
        self.counts: list[np.ndarray] = []

    def add(self, content: Clouds) -> None:
        """Keep a batch."""
        points, counts = content.points.numpy(), content.counts.numpy()
        self.values.add(points[np.arange(points.shape[1]) < counts[:, None]])
        self.counts.append(counts)

    def done(self, samples: Samples) -> Samples:
        """What was read, where there was room for all of it; else the samples as they were."""
        values = self.values.mapped()
        if values is None or not isinstance(samples, StoredClouds):
            return samples
        offsets = np.concatenate([[0], np.cumsum(np.concatenate(self.counts))])
        own = (samples.labels, samples.classes, samples.splits, samples)
        return CloudArrays(samples.source, values.reshape(-1, 3), offsets, np.arange(len(samples)), samples.ids, *own)


def open_clouds(folder: Path, source: str) -> StoredClouds:
    """A folder of clouds: flat, with class folders, or with train, val and test above either (`folders.scan`)."""
    ids, labels, classes, splits, ignored = scan(folder, SUFFIXES, "point cloud")
    own = {"labels": labels, "classes": classes, "splits": splits, "ignored": ignored}
    return StoredClouds.of(source, CloudFiles(folder, ids), ids, **own)


def open_cloud(path: Path, source: str) -> StoredClouds:
    """One cloud, its name being its id."""
    return StoredClouds.of(source, CloudFiles(path.parent, [path.name]), [path.name])


def from_clouds(array: np.ndarray, source: str, ids: list[str], **rest: Any) -> StoredClouds:
    """An array of N × p × 3 numbers; further columns are left alone."""
    if array.ndim != 3 or array.shape[2] < 3 or array.dtype.kind not in "iuf":
        raise TacitError(f"{source} is an array of {array.dtype} of shape {array.shape}; clouds are N × points × 3 numbers.")
    return StoredClouds.of(source, CloudRows(array[:, :, :3]), ids, **rest)


def tidy(points: np.ndarray) -> np.ndarray:
    """Points around the origin within radius 1, at most KEPT: float32; raises Unreadable.

    Their order is drawn, by what they are, so that a cloud is the same wherever it lies.

    The middle is the mean of the points, as usual since PointNet (Qi et al. 2017, arXiv:1612.00593, section 5.1).
    """
    broken = int((~np.isfinite(points).all(1)).sum())
    if broken:
        raise Unreadable(f"{broken} of its {len(points)} points hold NaN or infinity")
    if len(points) < FEWEST:
        raise Unreadable(f"it holds {len(points)} points, and {FEWEST} are needed")
    centred = points - points.mean(0)
    radius = np.sqrt(np.square(centred).sum(1).max())
    if not radius > 0 or not np.isfinite(radius):
        raise Unreadable("all of its points lie in one place" if radius == 0 else "its points lie too far apart to be measured")
    order = counter.permutation(counter.key("cloud", blake2b(points.tobytes()).hexdigest()), len(points))
    found = np.ascontiguousarray(centred[order[:KEPT]] / radius, np.float32)
    different = len(np.unique(found.view([("", np.float32)] * 3)))
    if different < FEWEST:
        raise Unreadable(f"of its {len(points)} points {different} differ, and {FEWEST} are needed")
    return found


def padded(clouds: Sequence[np.ndarray]) -> Clouds:
    """Clouds as one batch, zeros behind each."""
    counts = np.array([len(cloud) for cloud in clouds], np.int64)
    points = np.zeros((len(clouds), counts.max(initial=0), 3), np.float32)
    points[np.arange(points.shape[1]) < counts[:, None]] = np.concatenate([*clouds, np.zeros((0, 3), np.float32)])
    return Clouds(torch.from_numpy(points), torch.from_numpy(counts))


def _attempt(store: Store, row: int) -> np.ndarray | Unreadable:
    try:
        return tidy(store.points(row))
    except Unreadable as error:
        return error
