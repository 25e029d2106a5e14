"""Solids and surfaces that code draws, seen badly: under any pose, sampled unevenly, half hidden, noisy.

Sample i of a set is a pure function of (seed, i), as in `data.generated`. Every fifth is for testing.
"""

import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tacit.data.clouds.samples import CloudArrays, tidy
from tacit.data.decoding import at_once
from tacit.data.folders import place_in
from tacit.errors import TacitError
from tacit.numerics import counter

CHUNK = 256  # shapes drawn together
DRAWN = 1200  # points of a surface, of which some are kept


class Seen(NamedTuple):
    """How badly a surface is seen."""

    points: tuple[int, int] = (200, 700)  # kept
    occluded: tuple[float, float] = (0.0, 0.3)  # share of the points hidden behind a plane
    uneven: float = 1.5  # how much denser one end is sampled than the other, as the exponent of e
    noise: tuple[float, float] = (0.0, 0.02)  # standard deviation, in units of the radius


def shapes(n: int, seed: int = 0, classes: int = 8, seen: Seen | None = None) -> CloudArrays:
    """Point clouds of up to 8 families of surfaces, each with proportions of its own, turned into any pose.

    Of DRAWN points on the surface some lie behind a plane and are hidden, the others are kept at random, more of them at one
    end, and shaken. What a family is, no single coordinate tells.
    """
    if not 2 <= classes <= len(FAMILIES):
        raise TacitError(f"{classes} families of shapes were asked for; there are 2 to {len(FAMILIES)}.")
    key, seen, names = counter.key(seed, "shapes"), seen or Seen(), tuple(FAMILIES)[:classes]
    rows = np.arange(n)
    labels = (counter.uniform(counter.key(key, "label"), rows, 1)[:, 0] * classes).astype(np.int64)
    splits = np.where(rows % 5 == 4, "test", "train")
    ids = [f"{split}/{row:05d}" for split, row in zip(splits, rows)]
    clouds: list[np.ndarray] = []
    for start in range(0, n, CHUNK):
        some = rows[start : start + CHUNK]
        points, kept = _seen(_surfaces(key, some, labels[some], names), key, some, seen)
        clouds += [tidy(cloud[mask]) for cloud, mask in zip(points, kept)]
    offsets = np.concatenate([[0], np.cumsum([len(cloud) for cloud in clouds])]).astype(np.int64)
    return CloudArrays("generated shapes", np.concatenate(clouds), offsets, rows, ids, labels, names, splits)


def write(samples: CloudArrays, folder: Path) -> None:
    """Write clouds as binary .ply files, folder / split / class / row.ply, as `tacit.data.open` reads them."""

    def save(position: int) -> None:
        content, _ = samples.read(np.array([position]))
        place = place_in(folder, samples, position)
        points = content.points[0].numpy()
        header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(points)}\n"
        axes = "".join(f"property float {axis}\n" for axis in "xyz")
        body = struct.pack(f"<{points.size}f", *points.ravel().tolist())
        (place / f"{Path(samples.ids[position]).stem}.ply").write_bytes((header + axes + "end_header\n").encode() + body)

    at_once(save, range(len(samples)))


def _surfaces(key: int, rows: np.ndarray, labels: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Points on the surface of each row's family, in a frame of its own: rows × DRAWN × 3."""
    points = np.empty((len(rows), DRAWN, 3))
    u, v, w = (counter.uniform(counter.key(key, name), rows, DRAWN).astype(np.float64) for name in "uvw")
    shape = counter.uniform(counter.key(key, "proportions"), rows, 3).astype(np.float64)[:, :, None]
    for number, name in enumerate(names):
        mine = labels == number
        points[mine] = np.stack(FAMILIES[name](u[mine], v[mine], w[mine], shape[mine].swapaxes(0, 1)), 2)
    return points


def _seen(points: np.ndarray, key: int, rows: np.ndarray, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
    """The points turned and shaken, and which of them are kept."""

    def drawn(name: str, low: float, high: float) -> np.ndarray:
        return low + (high - low) * counter.uniform(counter.key(key, name), rows, 1).astype(np.float64)

    def direction(name: str) -> np.ndarray:
        arrow = counter.normal(counter.key(key, name), rows, 3).astype(np.float64)
        return arrow / np.linalg.norm(arrow, axis=1, keepdims=True)

    points = points - points.mean(1, keepdims=True)
    points = points / np.linalg.norm(points, axis=2).max(1)[:, None, None]
    quaternion = counter.normal(counter.key(key, "pose"), rows, 4).astype(np.float64)
    points = points @ rotations(quaternion).swapaxes(1, 2)
    count = points.shape[1]
    ahead = (points @ direction("occluder")[:, :, None])[:, :, 0].argsort(1).argsort(1)
    visible = ahead < count * (1 - drawn("occluded", *seen.occluded))
    density = seen.uneven * drawn("uneven", 0, 1) * (points @ direction("dense")[:, :, None])[:, :, 0]
    luck = np.log(-np.log(counter.uniform(counter.key(key, "luck"), rows, count).astype(np.float64) + 1e-12) + 1e-12)
    order = np.where(visible, luck - density, np.inf).argsort(1).argsort(1)  # Gumbel's way to draw without replacement
    kept = (order < drawn("points", *seen.points)) & visible
    grain = counter.normal(counter.key(key, "grain"), rows, count * 3).reshape(points.shape)
    return points + drawn("noise", *seen.noise)[:, :, None] * grain, kept


def rotations(quaternions: np.ndarray) -> np.ndarray:
    """Rotation matrices n × 3 × 3 of quaternions n × 4; of normal draws they are uniform (Shoemake 1992)."""
    a, b, c, d = (quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (c * c + d * d), 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), 1 - 2 * (b * b + d * d), 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), 1 - 2 * (b * b + c * c)],
    ]
    return np.moveaxis(np.array(rows), 2, 0)


# Each family: three uniform draws per point (n × DRAWN) and three proportions (3 × n × 1), to x, y, z.
Point = tuple[np.ndarray, np.ndarray, np.ndarray]
TURN = 2 * np.pi


def _ellipsoid(u: np.ndarray, v: np.ndarray, w: np.ndarray, p: np.ndarray) -> Point:
    z = 2 * u - 1
    ring = np.sqrt(1 - z * z)
    return (0.6 + 0.4 * p[0]) * ring * np.cos(TURN * v), (0.6 + 0.4 * p[1]) * ring * np.sin(TURN * v), z


def _box(u: np.ndarray, v: np.ndarray, w: np.ndarray, p: np.ndarray) -> Point:
    a, b, c = (0.5 + 0.5 * side for side in p)
    areas = np.stack([b * c, a * c, a * b])
    edges = np.cumsum(areas, 0) / areas.sum(0)
    face = (w > edges[0]).astype(int) + (w > edges[1])
    side = np.where((w * 977) % 1 < 0.5, -1.0, 1.0)  # which of the two: other digits of the same draw
    first, second = 2 * u - 1, 2 * v - 1
    x = np.where(face == 0, side, first)
    y = np.where(face == 1, side, np.where(face == 0, first, second))
    z = np.where(face == 2, side, second)
    return a * x, b * y, c * z


def _cylinder(u: np.ndarray, v: np.ndarray, w: np.ndarray, p: np.ndarray) -> Point:
    high = 0.6 + 1.2 * p[0]  # half of it, with radius 1
    on_side = w < high / (high + 0.5)
    radius = np.where(on_side, 1.0, np.sqrt(u))
    z = np.where(on_side, 2 * u - 1, np.where((w * 977) % 1 < 0.5, -1.0, 1.0))
    return radius * np.cos(TURN * v), radius * np.sin(TURN * v), high * z


def _cone(u: np.ndarray, v: np.ndarray, w: np.ndarray, p: np.ndarray) -> Point:
    high = 1.2 + 1.3 * p[0]
    slant = np.sqrt(1 + high * high)
    on_side = w < slant / (slant + 1)
    radius = np.sqrt(u)
    return radius * np.cos(TURN * v), radius * np.sin(TURN * v), np.where(on_side, high * (1 - radius), 0.0)


def _torus(u: np.ndarray, v: np.ndarray, w: np.ndarray, p: np.ndarray) -> Point:
    tube = 0.2 + 0.25 * p[0]
    radius = 1 + tube * np.cos(TURN * v)
    return radius * np.cos(TURN * u), radius * np.sin(TURN * u), tube * np.sin(TURN * v)


def _helix(u: np.ndarray, v: np.ndarray, w: np.ndarray, p: np.ndarray) -> Point:
    turns, tube = 1.5 + 1.5 * p[0], 0.12 + 0.1 * p[1]
    angle, high = TURN * turns * u, 1 + p[2]
    radius = 0.8 + tube * np.cos(TURN * v)
    return radius * np.cos(angle), radius * np.sin(angle), high * (2 * u - 1) + tube * np.sin(TURN * v)


def _moebius(u: np.ndarray, v: np.ndarray, w: np.ndarray, p: np.ndarray) -> Point:
    wide = (0.3 + 0.2 * p[0]) * (2 * v - 1)
    radius = 1 + wide * np.cos(np.pi * u)
    return radius * np.cos(TURN * u), radius * np.sin(TURN * u), wide * np.sin(np.pi * u)


def _saddle(u: np.ndarray, v: np.ndarray, w: np.ndarray, p: np.ndarray) -> Point:
    x, y = 2 * u - 1, 2 * v - 1
    return x, y, (0.5 + 0.4 * p[0]) * x * x - (0.5 + 0.4 * p[1]) * y * y


FAMILIES: Mapping[str, Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], Point]] = {
    "box": _box,
    "cone": _cone,
    "cylinder": _cylinder,
    "ellipsoid": _ellipsoid,
    "helix": _helix,
    "moebius": _moebius,
    "saddle": _saddle,
    "torus": _torus,
}
