"""From arrays (in memory, .npy, .npz) to Samples: what is an image, what a vector, what a label."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.data.clouds.samples import StoredClouds, from_clouds
from tacit.data.decoding import bits_for, to_8_bits
from tacit.data.images import ImageArrays
from tacit.data.labels import numbered
from tacit.data.memory import free_memory
from tacit.data.vectors import VectorArrays
from tacit.data.video.samples import StoredVideos, are_videos, from_videos
from tacit.errors import TacitError

ArraySamples = ImageArrays | VectorArrays | StoredClouds | StoredVideos
CHUNK = 4096  # rows looked at together
SPLITS = ("train", "val", "test")
WANTED = {"x", "y", "classes", *(f"{part}_{name}" for part in "xy" for name in SPLITS)}


class Split(NamedTuple):
    """One split of an archive: its name ("" where there is only one), its rows and their labels, if any."""

    name: str
    x: np.ndarray
    y: np.ndarray | None


def from_array(array: np.ndarray, source: str, kind: str | None = None) -> ArraySamples:
    """Samples without labels; ids are row numbers."""
    return from_splits([Split("", array, None)], source, kind)


def from_npy(path: Path, source: str, kind: str | None = None) -> ArraySamples:
    """An .npy file, mapped into memory and not read."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise _unloadable(source, error) from None
    return from_array(array, source, kind)


def from_npz(path: Path, source: str, kind: str | None = None) -> ArraySamples:
    """An .npz file with x_train, x_val and x_test, or x; y_train … or y hold labels and `classes` their names."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > free_memory():
            raise TacitError(
                f"{source} unpacks to {size / 2**30:.1f} GiB, more than the {free_memory() / 2**30:.1f} GiB free; "
                "save x as an .npy, which need not be read at once."
            )
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files if name in WANTED}
            names = arrays.files
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise _unloadable(source, error) from None
    chosen = [name for name in SPLITS if f"x_{name}" in found]
    if chosen:
        splits = [Split(name, found[f"x_{name}"], found.get(f"y_{name}")) for name in chosen]
    elif "x" in found:
        splits = [Split("", found["x"], found.get("y"))]
    else:
        raise TacitError(
            f"{source} holds {', '.join(names) or 'nothing'}; "
            "name the samples x_train and x_test, or x, and their labels alike with y."
        )
    return from_splits(splits, source, kind, found.get("classes"))


def from_splits(splits: list[Split], source: str, kind: str | None = None, names: np.ndarray | None = None) -> ArraySamples:
    """One Samples of several splits with rows of one shape; ids are "train/00012", or "00012" of a split without a name.

    Images are N × height × width (× 1, 3 or 4 channels), whole numbers in 0 … 255, booleans, or real numbers in [0, 1]
    or [0, 255] (told apart by the largest of all splits being at most 1 or not), rounded to uint8; alpha is laid on white.
    uint16 stays as it is and is scaled when read, from the 8, 10, 12, 14 or 16 bits that hold the largest of all splits.
    Clouds are N × points × 3 real numbers, of at least 16 points. Videos are uint8, N × frames × height × width (× 1 or 3).
    Vectors are N × d real numbers; `kind="vector"` makes vectors of anything by flattening what follows N.
    """
    for name, x, y in splits:
        where = f"x_{name}" if name else "x"
        if x.dtype.kind not in "buif":
            raise TacitError(f"{where} of {source} is an array of {x.dtype}; give numbers: uint8 images or float vectors.")
        if x.shape[1:] != splits[0].x.shape[1:] or x.ndim < 2:
            shapes = " and ".join(str(split.x.shape) for split in splits)
            raise TacitError(f"{source} has the shape {shapes}; give N × d vectors or N × height × width × channels images.")
        if 0 in x.shape[1:]:
            raise TacitError(f"{where} of {source} has the shape {x.shape}, which holds no numbers; give no axis of length 0.")
        if x.dtype != splits[0].x.dtype:
            raise TacitError(f"{source} mixes arrays of {splits[0].x.dtype} and {x.dtype}; give all of one type.")
        if y is not None and y.ndim == 0:
            raise TacitError(f"{where} of {source} has {len(x)} rows and its y is a single {y.dtype}; give one label per row.")
        if y is not None and len(y) != len(x):
            raise TacitError(f"{where} of {source} has {len(x)} rows and its y has {len(y)}; give one label per row.")
    if not sum(len(split.x) for split in splits):
        raise TacitError(f"{source} holds arrays of 0 rows; give at least 2 samples.")
    labels, classes = _labels(splits, source, names)
    named = len(splits) > 1 or splits[0].name != ""
    ids = [f"{name}/{row:05d}" if name else f"{row:05d}" for name, x, _ in splits for row in range(len(x))]
    marks = np.repeat([split.name for split in splits], [len(split.x) for split in splits]) if named else None
    blocks = [split.x for split in splits]
    rows = np.arange(len(ids))
    if kind == "cloud" or (kind is None and _are_clouds(blocks[0])):
        return from_clouds(_joined(blocks), source, ids, labels=labels, classes=classes, splits=marks)
    if kind == "video" or (kind is None and are_videos(blocks[0])):
        return from_videos(_joined(blocks), source, ids, labels=labels, classes=classes, splits=marks)
    if kind == "vector" or (kind is None and blocks[0].ndim == 2):
        values = _joined([block.reshape(len(block), -1) for block in blocks])
        return VectorArrays(source, values, rows, ids, labels, classes, marks)
    blocks, bits = _as_pixels(blocks, source)
    return ImageArrays(source, _joined(blocks), rows, ids, labels, classes, marks, bits=bits)


def _are_clouds(block: np.ndarray) -> bool:
    """Whether these can hardly be images: N × p × 3 floats, 16 points or more."""
    return block.ndim == 3 and block.shape[2] == 3 and block.shape[1] >= 16 and block.dtype.kind == "f"


def chunks(array: np.ndarray) -> Iterator[np.ndarray]:
    """The array piece by piece, so that one mapped into memory is never held whole."""
    return (array[start : start + CHUNK] for start in range(0, len(array), CHUNK))


def _joined(blocks: list[np.ndarray]) -> np.ndarray:
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def _as_pixels(blocks: list[np.ndarray], source: str) -> tuple[list[np.ndarray], int]:
    """Arrays of images as uint8 or uint16, N × height × width × channels (1 or 3), and the bits of uint16."""
    shape = blocks[0].shape[1:]
    if len(shape) == 2:
        blocks = [block[..., None] for block in blocks]
    elif len(shape) != 3 or shape[2] not in (1, 3, 4):
        hint = "move the channels to the end" if len(shape) == 3 and shape[0] in (1, 3, 4) else "check its axes"
        raise TacitError(f"{source} has images of shape {shape}; height × width (× 1, 3 or 4) was expected: {hint}.")
    bits = 16
    if blocks[0].dtype == np.uint16:
        bits = bits_for(max((int(chunk.max()) for block in blocks for chunk in chunks(block)), default=0))
        blocks = [to_8_bits(block, bits) if block.shape[3] == 4 else block for block in blocks]
    elif blocks[0].dtype != np.uint8:
        blocks = _as_uint8(blocks, source)
    return [_on_white(block) if block.shape[3] == 4 else block for block in blocks], bits


def _as_uint8(blocks: list[np.ndarray], source: str) -> list[NDArray[np.uint8]]:
    if blocks[0].dtype.kind == "b":
        return [block.astype(np.uint8) * np.uint8(255) for block in blocks]
    extremes = np.array([(chunk.min(), chunk.max()) for block in blocks for chunk in chunks(block)], np.float64)
    low, high = extremes[:, 0].min(), extremes[:, 1].max()
    if np.isnan(extremes).any():
        _refuse_nan(blocks, source)
    if low < 0 or high > 255:
        raise TacitError(
            f"The images of {source} hold values from {low:.4g} to {high:.4g}; "
            "give uint8, or real numbers in [0, 1] or [0, 255] (not yet normalised)."
        )
    scale = 255.0 if blocks[0].dtype.kind == "f" and high <= 1 else 1.0
    converted = [np.empty(block.shape, np.uint8) for block in blocks]
    for block, out in zip(blocks, converted):
        for chunk, target in zip(chunks(block), chunks(out)):
            np.rint(chunk * scale, out=target, casting="unsafe")
    return converted


def _refuse_nan(blocks: list[np.ndarray], source: str) -> None:
    row = 0
    for block in blocks:
        for chunk in chunks(block):
            broken = np.isnan(chunk.reshape(len(chunk), -1)).any(1)
            if broken.any():
                raise TacitError(f"Row {row + broken.argmax()} of {source} holds NaN; remove it or fill it in.")
            row += len(chunk)


def _on_white(block: np.ndarray) -> np.ndarray:
    """RGBA -> RGB, as Pillow lays it on white: c·α + 255·(1 − α), rounded."""
    out = np.empty((*block.shape[:3], 3), np.uint8)
    for chunk, target in zip(chunks(block), chunks(out)):
        colour, alpha = chunk[..., :3].astype(np.uint32), chunk[..., 3:].astype(np.uint32)
        target[:] = (colour * alpha + 255 * (255 - alpha) + 127) // 255
    return out


def _labels(splits: list[Split], source: str, names: np.ndarray | None) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Labels of all splits as numbers of classes (`labels.numbered`); those of splits without y are −1."""
    if all(split.y is None for split in splits):
        return None, ()
    given = [split.y for split in splits if split.y is not None]
    for y in given:
        if y.size != len(y) or y.dtype.kind not in "biuU":
            raise TacitError(
                f"The labels of {source} are {y.dtype} of shape {y.shape}; give one whole number or one name per sample."
            )
    flat = [y.reshape(-1).astype(np.int64) if y.dtype.kind != "U" else y.reshape(-1) for y in given]
    if len({y.dtype.kind for y in flat}) > 1:
        raise TacitError(f"The labels of {source} are names in one split and numbers in another; give either.")
    joined = np.concatenate(flat)
    labels, classes = numbered(joined, source, None if names is None else names.tolist())
    parts = iter(np.split(labels, np.cumsum([len(y) for y in flat])[:-1]))
    return np.concatenate([np.full(len(s.x), -1, np.int64) if s.y is None else next(parts) for s in splits]), classes


def _unloadable(source: str, error: Exception) -> TacitError:
    if "pickled (object) data" in str(error):
        return TacitError(f"{source} is no numpy file (and a pickle is never opened); save it again with numpy.save.")
    if "allow_pickle" in str(error) or "Python objects" in str(error):
        return TacitError(f"{source} holds Python objects, which only pickle can load; save plain numbers instead.")
    return TacitError(f"{source} is no readable numpy file ({error}); save it again with numpy.save or numpy.savez.")
