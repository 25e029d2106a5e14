"""From what the user points at to Samples: sniffed, or as told."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tacit.data.arrays import from_array, from_npy, from_npz
from tacit.data.decoding import SUFFIXES
from tacit.data.images import ImageFolder
from tacit.data.pairs import Pairs
from tacit.data.samples import Samples
from tacit.errors import TacitError, unknown

KINDS = ("image", "pair", "vector")

Source = str | Path | Samples | np.ndarray | tuple[np.ndarray, np.ndarray]


def open(source: Source, kind: str | None = None) -> Samples:
    """Open a source; what it holds is told by looking at it unless `kind` says so (`--as`).

    - a folder of images: flat, with class folders, or with train, val and test above either (`folders.scan`)
    - one image file: a sample whose id is the file's name, to be embedded or searched with
    - an .npz with x_train, y_train, x_test, y_test (and x_val, y_val), or with x and y; an .npy; an array in memory:
      images or vectors (`arrays.from_splits`)
    - a tuple of two arrays (or opened sources): pairs

    Raises TacitError where there is nothing, nothing readable or nothing of that kind.
    """
    if kind is not None and kind not in KINDS:
        raise unknown("kind of data", kind, KINDS)
    samples = _opened(source, kind)
    if kind not in (None, samples.kind):
        article = "two parts (a tuple of two arrays)" if kind == "pair" else f"{kind}s"
        raise TacitError(
            f"{samples.source} holds {samples.kind}s and was to be opened as {kind}; give {article}, or leave out --as {kind}."
        )
    return samples


def _opened(source: Source, kind: str | None) -> Samples:
    if isinstance(source, Samples):
        return source
    if isinstance(source, np.ndarray):
        return from_array(source, "the array", None if kind == "pair" else kind)
    if isinstance(source, tuple):
        return _pair(source)
    if not isinstance(source, str | Path):
        raise TacitError(f"A {type(source).__name__} cannot be opened; give a path, a numpy array or a tuple of two arrays.")
    path = Path(source).expanduser()
    if not path.exists():
        raise TacitError(f"There is no {source}; give a folder of images, an .npz or an .npy{_near(path)}.")
    if path.is_dir():
        return ImageFolder.open(source)
    if path.suffix.lower() in SUFFIXES:
        return ImageFolder.of_file(source)
    readers = {".npz": from_npz, ".npy": from_npy}
    if path.suffix.lower() not in readers:
        raise TacitError(
            f"{source} is a file that Tacit does not open; give images (a folder or one file), an .npz or an .npy."
        )
    return readers[path.suffix.lower()](path, str(source), None if kind == "pair" else kind)


def _pair(parts: Sequence[np.ndarray | Samples]) -> Pairs:
    if len(parts) != 2 or not all(isinstance(part, np.ndarray | Samples) for part in parts):
        raise TacitError(f"A tuple of {len(parts)} was given; pairs are a tuple of two arrays of equal length.")
    first, second = (_opened(part, None) for part in parts)
    return Pairs.of(first, second)


def _near(path: Path) -> str:
    """A hint at what lies beside a path that does not exist."""
    from difflib import get_close_matches

    if not path.parent.is_dir():
        return ""
    near = get_close_matches(path.name, (other.name for other in path.parent.iterdir()), n=1)
    return f" (did you mean {path.parent / near[0]}?)" if near else ""
