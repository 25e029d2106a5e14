"""Series as arrays: N × channels × length, N × length, or one long series; in memory, .npy or .npz."""

import zipfile
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tacit.data.labels import numbered
from tacit.data.memory import free_memory
from tacit.data.series.samples import EVERY, WINDOW, Long, Part, SeriesSamples, cut
from tacit.errors import TacitError

SPLITS = ("train", "val", "test")
LOOKED_AT = 1 << 20  # numbers of an array by which it is told


def are_series(archive: Path) -> bool:
    """Whether an .npz says that it holds series, or can hardly hold anything else (`hardly_images`)."""
    try:
        with zipfile.ZipFile(archive) as opened:
            heads = {name[:-4]: opened.open(name) for name in opened.namelist() if name.endswith(".npy")}
            name = next((name for name in ("x_train", "x") if name in heads), None)
            if name is None or {"edge_index", "incidence"} & heads.keys():
                return False
            shape, kind = _head(heads[name])
            if any(name.startswith("len") for name in heads) and len(shape) == 3:
                return True
            if len(shape) == 1 or ("borders" in heads and len(shape) == 2):
                return kind.kind in "iuf"
            if len(shape) != 3 or kind.kind != "f" or 0 in shape:
                return False
            return hardly_images(np.frombuffer(heads[name].read(LOOKED_AT * kind.itemsize), kind), shape)
    except (zipfile.BadZipFile, ValueError, OSError, EOFError):
        return False  # what opens arrays says why


def are_series_array(array: np.ndarray) -> bool:
    """Whether an array can hardly be anything but series."""
    return hardly_images(array.flat[:LOOKED_AT], array.shape)


def is_series_npy(file: Path) -> bool:
    """Whether an .npy can hardly hold anything but series."""
    try:
        return are_series_array(np.load(file, mmap_mode="r", allow_pickle=False))
    except (ValueError, EOFError, OSError):
        return False  # what opens arrays says why


def hardly_images(values: np.ndarray, shape: Sequence[int]) -> bool:
    """Whether N × a × b floats can be neither images nor clouds: a single row, negative or missing values; and no square."""
    if len(shape) != 3 or values.dtype.kind != "f" or shape[1] == shape[2] or (shape[2] == 3 and shape[1] >= 16):
        return False
    return shape[1] == 1 or bool((values < 0).any() or np.isnan(values).any())


def open_npz(path: Path, source: str) -> SeriesSamples:
    """An .npz with x_train and x_test (x_val), or x, N × channels × length or N × length; y_… are labels, len_… lengths.

    One long series is x of moments × channels with `borders`, the moments at which its train, val and test part begin and the
    last one ends; or x of one axis; or x_train and x_test of one axis, where y_test marks what is unusual.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > free_memory() // 2:
            raise TacitError(
                f"{source} unpacks to {size / 2**30:.1f} GiB, and {free_memory() / 2**30:.1f} GiB are free; save its series as "
                "an .npy of 1 × channels × length, which is read a window at a time."
            )
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise TacitError(f"{source} is no readable .npz ({error}); save it again with numpy.savez.") from None
    chosen = [name for name in SPLITS if f"x_{name}" in found]
    blocks = {name: found[f"x_{name}"] for name in chosen} or ({"": found["x"]} if "x" in found else {})
    if not blocks:
        raise TacitError(f"{source} holds {', '.join(found) or 'nothing'}; name its series x_train and x_test, or x.")
    axes = {block.ndim for block in blocks.values()}
    columns = [str(name) for name in found["columns"]] if "columns" in found else []
    if axes == {1}:
        return _one_axis(blocks, found, source)
    if axes == {2} and "borders" in found and list(blocks) == [""]:
        return _bordered(blocks[""], found["borders"], columns, source)
    labels = {name: found.get(f"y_{name}" if name else "y") for name in blocks}
    lengths = {name: found.get(f"len_{name}" if name else "len") for name in blocks}
    return from_blocks(blocks, source, labels, lengths, columns, found.get("classes"))


def open_npy(path: Path, source: str) -> SeriesSamples:
    """An .npy, mapped into memory and not read."""
    try:
        return from_array(np.load(path, mmap_mode="r", allow_pickle=False), source)
    except (ValueError, EOFError, OSError) as error:
        raise TacitError(f"{source} is no readable .npy ({error}); save it again with numpy.save.") from None


def from_array(array: np.ndarray, source: str = "the array") -> SeriesSamples:
    """N × channels × length, or N × length; of one axis, or of N = 1, one long series."""
    return from_blocks({"": array[None] if array.ndim == 1 else array}, source)


def from_list(arrays: Sequence[np.ndarray], source: str = "the list") -> SeriesSamples:
    """Series of unequal lengths, each channels × length or of one axis."""
    rows = [np.atleast_2d(array) for array in arrays]
    if any(row.ndim != 2 or row.dtype.kind not in "iufb" or len(row) != len(rows[0]) for row in rows):
        raise TacitError(f"{source} mixes arrays of shapes {rows[0].shape} and others; give each as channels × length.")
    values = np.concatenate([row.T for row in rows])
    ids = [f"{row:05d}" for row in range(len(rows))]
    return cut(SeriesSamples.of(source, _numbers(values), np.array([row.shape[1] for row in rows]), ids))


def from_blocks(
    blocks: Mapping[str, np.ndarray],
    source: str,
    labels: Mapping[str, np.ndarray | None] | None = None,
    lengths: Mapping[str, np.ndarray | None] | None = None,
    names: Sequence[str] = (),
    classes: np.ndarray | None = None,
) -> SeriesSamples:
    """Series of several splits by their names ("": there is none): ids are "train/00012" or "00012"."""
    channels = {block.shape[1] if block.ndim == 3 else 1 for block in blocks.values()}
    for name, block in blocks.items():
        if block.ndim not in (2, 3) or block.dtype.kind not in "iufb":
            raise TacitError(
                f"{f'x_{name}' if name else 'x'} of {source} is {block.dtype} of shape {block.shape}; give numbers, "
                "N × channels × length or N × length."
            )
    if len(channels) > 1 or (names and len(names) != max(channels)):
        raise TacitError(
            f"The parts of {source} have {' and '.join(map(str, sorted(channels)))} channels; give as many in each."
        )
    full = {name: block.reshape(len(block), -1, block.shape[-1]) for name, block in blocks.items()}
    of = {name: _lengths((lengths or {}).get(name), block, source) for name, block in full.items()}
    values, counts = _flat(list(full.values()), list(of.values()), source)
    ids = [f"{name}/{row:05d}" if name else f"{row:05d}" for name, block in full.items() for row in range(len(block))]
    splits = np.repeat(list(full), [len(block) for block in full.values()]) if list(full) != [""] else None
    told, known = _labels(full, labels or {}, classes, source)
    return cut(SeriesSamples.of(source, values, counts, ids, names, labels=told, classes=known, splits=splits))


def _flat(blocks: list[np.ndarray], lengths: list[np.ndarray], source: str) -> tuple[np.ndarray, np.ndarray]:
    """Blocks N × channels × length as moments × channels, without what lies behind the end of a series; and the lengths."""
    if len(blocks) == 1 and len(blocks[0]) == 1:
        return _numbers(blocks[0][0].T)[: lengths[0][0]], lengths[0]  # a view: one long series may lie on disk
    size = sum(block.nbytes for block in blocks)
    if size > free_memory() // 2:
        raise TacitError(
            f"The series of {source} take {size / 2**30:.1f} GiB, and {free_memory() / 2**30:.1f} GiB are free; give fewer."
        )
    kept = [b.swapaxes(1, 2)[np.arange(b.shape[2]) < of[:, None]] for b, of in zip(blocks, lengths)]
    return _numbers(np.concatenate(kept)), np.concatenate(lengths)


def _lengths(given: np.ndarray | None, block: np.ndarray, source: str) -> np.ndarray:
    """As the source says, else without the missing values behind the last one that is there, as archives pad series."""
    if given is None:
        if block.dtype.kind != "f" or len(block) == 1:
            return np.full(len(block), block.shape[2])
        there = ~np.isnan(block).all(1)
        last = block.shape[2] - there[:, ::-1].argmax(1)
        return np.where(there.any(1), last, block.shape[2])
    if given.shape != (len(block),) or given.dtype.kind not in "iu" or given.min() < 1 or given.max() > block.shape[2]:
        raise TacitError(f"The lengths of {source} must be whole numbers, 1 to {block.shape[2]}, one for each of its series.")
    return given.astype(np.int64)


def _labels(
    blocks: Mapping[str, np.ndarray], labels: Mapping[str, np.ndarray | None], names: np.ndarray | None, source: str
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Labels of all parts as numbers of classes; −1 in parts that have none."""
    given = {name: np.asarray(y).reshape(-1) for name, y in labels.items() if y is not None}
    if not given:
        return None, ()
    for name, y in given.items():
        if len(y) != len(blocks[name]) or y.dtype.kind not in "biuU":
            raise TacitError(
                f"{source} has {len(blocks[name])} series in part {name or 'x'} and {len(y)} labels of {y.dtype}; give a "
                "whole number or a name for each."
            )
    if len({y.dtype.kind == "U" for y in given.values()}) > 1:
        raise TacitError(f"The labels of {source} are names in one part and numbers in another; give either.")
    joined = np.concatenate([y if y.dtype.kind == "U" else y.astype(np.int64) for y in given.values()])
    found, classes = numbered(joined, source, None if names is None else names.tolist())
    parts = dict(zip(given, np.split(found, np.cumsum([len(y) for y in given.values()])[:-1])))
    return np.concatenate([parts.get(name, np.full(len(block), -1, np.int64)) for name, block in blocks.items()]), classes


def _one_axis(blocks: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray], source: str) -> SeriesSamples:
    """One long series whose parts are arrays of one axis; a test part that begins with the train part goes on from it."""
    if list(blocks) == [""]:
        return from_array(blocks[""], source)
    parts, start, rows = [], 0, []
    for name, block in blocks.items():
        train = blocks.get("train", block[:0])
        again = name != "train" and len(block) > len(train) and np.array_equal(block[: len(train)], train, equal_nan=True)
        if again and list(blocks) == ["train", name]:  # the archive of anomalies repeats the prefix
            block = block[len(train) :]
        rows.append(block)
        parts.append(Part(name, start, start + len(block)))
        start += len(block)
    values = _numbers(np.concatenate(rows))[:, None]
    anomaly = np.zeros(len(values), bool)
    marks = found.get("y_test")
    if marks is not None:
        if marks.ndim != 1 or len(marks) != len(blocks["test"]):
            raise TacitError(f"y_test of {source} has {len(marks)} marks for {len(blocks['test'])} moments; give one each.")
        end = parts[-1].end if parts[-1].name == "test" else next(part.end for part in parts if part.name == "test")
        test = next(part for part in parts if part.name == "test")
        anomaly[test.begin : end] = marks[-(test.end - test.begin) :] > 0
    return _as_windows(values, parts, anomaly if marks is not None else None, (), source)


def _bordered(x: np.ndarray, borders: np.ndarray, names: Sequence[str], source: str) -> SeriesSamples:
    edges = np.asarray(borders).reshape(-1).tolist()
    ordered = all(before < after for before, after in pairwise(edges))
    if not 2 <= len(edges) <= 4 or not ordered or edges[0] < 0 or edges[-1] > len(x):
        raise TacitError(f"The borders of {source} are {edges}; give where its train, val and test parts begin, then the end.")
    parts = [Part(name, begin, end) for name, begin, end in zip(_called(len(edges) - 1), edges, edges[1:])]
    return _as_windows(_numbers(x), parts, None, names, source)


def _called(parts: int) -> Sequence[str]:
    return {1: ("train",), 2: ("train", "test")}.get(parts, SPLITS)


def _as_windows(
    values: np.ndarray, parts: Sequence[Part], anomaly: np.ndarray | None, names: Sequence[str], source: str
) -> SeriesSamples:
    one = SeriesSamples.of(source, values, np.array([len(values)]), ["00000"], names)
    one.long = Long(tuple(parts), WINDOW, EVERY, anomaly)
    return cut(one)


def _numbers(values: np.ndarray) -> np.ndarray:
    return values if values.dtype.kind == "f" else values.astype(np.float32)


def _head(stream: Any) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an .npy, by its beginning."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = read(stream)
    return shape, kind
