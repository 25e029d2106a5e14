"""From a file to points: .npy, .ply, .xyz and .off; what is broken is refused in one sentence, nothing is repaired.

A mesh (.off, or .ply with faces) gives points spread evenly over its faces.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tacit.data.decoding import Unreadable
from tacit.numerics import counter

MOST_BYTES = 2**30  # of a file that is read
SAMPLED = 2048  # points taken from the faces of a mesh

_TYPES = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
}
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}


class Geometry(NamedTuple):
    """What a file holds."""

    points: np.ndarray  # float64, p × 3
    faces: np.ndarray | None  # int64, f × 3: corners of triangles; None of what is no mesh


class _Element(NamedTuple):
    """One kind of record of a .ply."""

    name: str
    many: int
    properties: list[tuple[str, str, str]]  # name, type, and the type of the length before a list ("" of a single value)


def read(path: Path) -> np.ndarray:
    """The points of a file, float64, p × 3, as they stand there; of a mesh SAMPLED points; raises Unreadable."""
    try:
        size = path.stat().st_size
        if not size:
            raise Unreadable("the file is empty")
        if size > MOST_BYTES:
            raise Unreadable(f"it takes {size / 2**30:.1f} GiB, and at most 1 GiB is read")
        points, faces = READERS[path.suffix.lower()](path)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    return points if faces is None else spread(points, faces, SAMPLED, counter.key("mesh"))


def spread(corners: np.ndarray, faces: np.ndarray, count: int, key: int) -> np.ndarray:
    """Points drawn uniformly from the area of triangles (Osada et al. 2002, section 3.1): count × 3; raises Unreadable."""
    a, b, c = (corners[faces[:, corner]] for corner in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    if not np.isfinite(area).all():
        raise Unreadable("its faces have corners that are NaN or infinite")
    if not area.sum() > 0:
        raise Unreadable("its faces have no area")
    draws = counter.uniform(key, np.arange(count), 3).astype(np.float64)
    edges = np.cumsum(area)
    chosen = np.minimum(np.searchsorted(edges, draws[:, 0] * edges[-1], side="right"), len(faces) - 1)
    root, across = np.sqrt(draws[:, 1:2]), draws[:, 2:]
    return (1 - root) * a[chosen] + root * (1 - across) * b[chosen] + root * across * c[chosen]


def _npy(path: Path) -> Geometry:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise Unreadable(f"it is no numpy file of numbers ({' '.join(str(error).split())[:80]})") from None
    if array.dtype.kind not in "iuf" or array.ndim != 2 or array.shape[1] < 3:
        raise Unreadable(f"it is an array of {array.dtype} of shape {array.shape}, and points × 3 numbers are wanted")
    return Geometry(np.array(array[:, :3], np.float64), None)


def _xyz(path: Path) -> Geometry:
    """Lines of x, y, z and what else there may be, between spaces or commas; a # begins a comment."""
    lines = [line.partition("#")[0].replace(",", " ").split() for line in _text(path).splitlines()]
    lines = [line for line in lines if line]
    if not lines:
        raise Unreadable("it holds no line with numbers")
    if len(lines[0]) < 3 or any(len(line) != len(lines[0]) for line in lines):
        raise Unreadable("its lines are not all of the same three or more numbers")
    return Geometry(_numbers([value for line in lines for value in line[:3]]).reshape(-1, 3), None)


def _off(path: Path) -> Geometry:
    lines = [line for line in (line.partition("#")[0].strip() for line in _text(path).splitlines()) if line]
    if not lines or not lines[0].upper().startswith("OFF"):
        raise Unreadable("it does not begin with OFF")
    first = lines[0][3:].split() or None  # ModelNet has files with "OFF490 518 0" in one line
    lines = lines[1:]
    if first is None:
        first, lines = (lines[0].split() if lines else []), lines[1:]
    if len(first) < 2 or not all(word.isdigit() for word in first[:2]):
        raise Unreadable("its second line does not say how many corners and faces there are")
    corners, faces = int(first[0]), int(first[1])
    if not faces:
        raise Unreadable("it is a mesh without faces")
    if len(lines) < corners + faces:
        raise Unreadable(f"its header promises {corners} corners and {faces} faces, and {len(lines)} lines follow")
    points = [line.split()[:3] for line in lines[:corners]]
    if any(len(point) != 3 for point in points):
        raise Unreadable("a corner of it has fewer than three numbers")
    polygons = [line.split() for line in lines[corners : corners + faces]]
    if not all(line[0].isdigit() and len(line) > int(line[0]) for line in polygons):
        raise Unreadable("a face of it does not name its corners")
    parts = [_whole(_numbers(line[1 : int(line[0]) + 1])) for line in polygons]
    return Geometry(_numbers([value for point in points for value in point]).reshape(-1, 3), _triangles(parts, corners))


def _ply(path: Path) -> Geometry:
    content = path.read_bytes()
    order, elements, body = _ply_header(content)
    if order:
        records = _binary(content[body:], elements, order)
    else:
        try:
            flat = np.array(content[body:].split(), np.float64)
        except ValueError:
            raise Unreadable("what follows its header are not all numbers") from None
        records = _ascii(flat, elements)
    vertex = records.get("vertex", {})
    if not {"x", "y", "z"} <= vertex.keys():
        raise Unreadable("its header names no vertices with x, y and z")
    points = np.stack([np.asarray(vertex[axis], np.float64) for axis in "xyz"], 1)
    face = records.get("face", {})
    parts = next((face[name] for name in ("vertex_indices", "vertex_index") if name in face), [])
    return Geometry(points, _triangles(list(parts), len(points)) if len(parts) else None)  # scans declare "face 0"


def _ply_header(content: bytes) -> tuple[str, list[_Element], int]:
    """Byte order ("" of text), what follows, and where it begins."""
    end = content.find(b"end_header")
    if not content.startswith(b"ply") or end < 0:
        raise Unreadable("it has no header of a .ply, from ply to end_header")
    order, elements = None, []
    for line in content[:end].decode("ascii", "replace").splitlines():
        words = line.split()
        try:
            if words[:1] == ["format"]:
                order = _ORDERS[words[1]]
            elif words[:1] == ["element"]:
                elements.append(_Element(words[1], int(words[2]), []))
            elif words[:2] == ["property", "list"]:
                elements[-1].properties.append((words[4], _TYPES[words[3]], _TYPES[words[2]]))
            elif words[:1] == ["property"]:
                elements[-1].properties.append((words[2], _TYPES[words[1]], ""))
        except (IndexError, KeyError, ValueError):
            raise Unreadable(f"its header has a line that means nothing: {line[:60]!r}") from None
    if order is None or any(element.many < 0 for element in elements):
        raise Unreadable("its header names no format, or a count below 0")
    newline = content.find(b"\n", end)
    return order, elements, len(content) if newline < 0 else newline + 1


Records = dict[str, dict[str, Sequence[np.ndarray] | np.ndarray]]  # element -> property -> its values


def _short(element: _Element, there: int) -> Unreadable:
    return Unreadable(f"its header promises {element.many} of {element.name}, and {there} follow")


def _binary(body: bytes, elements: Sequence[_Element], order: str) -> Records:
    records: Records = {}
    at = 0
    for element in elements:
        if any(length for _, _, length in element.properties):
            records[element.name], at = _lists(body, at, element, order)
            continue
        form = np.dtype([(name, order + kind) for name, kind, _ in element.properties])
        there = (len(body) - at) // form.itemsize if form.itemsize else 0
        if there < element.many:
            raise _short(element, there)
        table = np.frombuffer(body, form, element.many, at)
        records[element.name] = {name: table[name] for name in form.names or ()}
        at += form.itemsize * element.many
    return records


def _lists(body: bytes, at: int, element: _Element, order: str) -> tuple[dict[str, Sequence[np.ndarray] | np.ndarray], int]:
    """Records with lists: all at once where all are as long as the first, else one after another."""
    forms = [
        (name, np.dtype(order + kind), np.dtype(order + (length or kind)), length) for name, kind, length in element.properties
    ]
    found: dict[str, list[np.ndarray]] = {name: [] for name, *_ in forms}
    sizes: list[tuple] = []
    start = at
    for number in range(element.many):
        for name, form, head, length in forms:
            count = 1
            if length:
                if at + head.itemsize > len(body):
                    raise _short(element, number)
                count = int(np.frombuffer(body, head, 1, at)[0])
                at += head.itemsize
                sizes.append((name, form, (count,), head))
            else:
                sizes.append((name, form, (), head))
            if count < 0 or at + count * form.itemsize > len(body):
                raise _short(element, number)
            found[name].append(np.frombuffer(body, form, count, at))
            at += count * form.itemsize
        if number == 0:
            fields = [
                part
                for name, form, shape, head in sizes
                for part in ([(f"#{name}", head)] if shape else []) + [(name, form, shape)]
            ]
            whole = np.dtype(fields)
            if start + whole.itemsize * element.many <= len(body):
                table = np.frombuffer(body, whole, element.many, start)
                if all((table[f"#{name}"] == shape[0]).all() for name, _, shape, _ in sizes if shape):
                    return {name: table[name] for name, *_ in forms}, start + whole.itemsize * element.many
    return dict(found), at


def _ascii(flat: np.ndarray, elements: Sequence[_Element]) -> Records:
    records: Records = {}
    at = 0
    for element in elements:
        names = [name for name, _, _ in element.properties]
        if any(length for _, _, length in element.properties):
            found: dict[str, list[np.ndarray]] = {name: [] for name in names}
            for number in range(element.many):
                for name, _, length in element.properties:
                    count = 1
                    if length:
                        count, at = (int(flat[at]) if at < len(flat) and flat[at] >= 0 else len(flat)), at + 1
                    if at + count > len(flat):
                        raise _short(element, number)
                    found[name].append(flat[at : at + count])
                    at += count
            records[element.name] = dict(found)
            continue
        there = (len(flat) - at) // len(names) if names else 0
        if there < element.many:
            raise _short(element, there)
        table = flat[at : at + element.many * len(names)].reshape(element.many, len(names))
        records[element.name] = dict(zip(names, table.T))
        at += table.size
    return records


def _triangles(polygons: Sequence[np.ndarray], corners: int) -> np.ndarray:
    """Polygons as fans of triangles: int64, f × 3."""
    lengths = np.array([len(polygon) for polygon in polygons])
    found = []
    for length in np.unique(lengths[lengths >= 3]):
        alike = np.stack([polygons[i] for i in np.flatnonzero(lengths == length).tolist()]).astype(np.int64)
        second = np.arange(1, length - 1)
        fans = np.stack([np.broadcast_to(alike[:, :1], (len(alike), length - 2)), alike[:, second], alike[:, second + 1]], 2)
        found.append(fans.reshape(-1, 3))
    if not found:
        raise Unreadable("none of its faces has three corners")
    triangles = np.concatenate(found)
    if triangles.min() < 0 or triangles.max() >= corners:
        raise Unreadable(f"a face of it names corner {int(triangles.max())}, and there are {corners}, counted from 0")
    return triangles


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("it is no text") from None


def _numbers(words: Sequence[str]) -> np.ndarray:
    try:
        return np.array(words, np.float64)
    except ValueError:
        raise Unreadable("where numbers are wanted it holds other words") from None


def _whole(values: np.ndarray) -> np.ndarray:
    if not np.isfinite(values).all() or (values != np.rint(values)).any():
        raise Unreadable("a face of it names a corner that is no whole number")
    return values.astype(np.int64)


def is_cloud(path: Path) -> bool:
    """Whether this is an .npy of points × 3 real numbers, by its header; whatever else is wrong, reading tells."""
    if path.suffix.lower() != ".npy":
        return False
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError):
        return False
    return array.dtype.kind == "f" and array.ndim == 2 and array.shape[1] == 3


GEOMETRY = frozenset((".ply", ".off", ".xyz"))  # suffixes of what can be nothing else
READERS: Mapping[str, Callable[[Path], Geometry]] = {".ply": _ply, ".off": _off, ".xyz": _xyz, ".npy": _npy}
