"""From an image file to a small uint8 array: any common format, mode and orientation; broken and huge ones are refused."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from tacit.data.samples import Images

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")  # the only decoders ever tried (some of Pillow's run programs)
SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"))
LIMIT = 89_478_485  # pixels that a header may claim: from here on Pillow, too, suspects a decompression bomb
GREY_MODES = frozenset(("1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N"))
_UPRIGHT = {  # EXIF tag 0x0112 -> what turns the image upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Unreadable(Exception):
    """Why one file could not be read; its sample is skipped, counted and named."""


class Header(NamedTuple):
    """What a file says of itself before it is decoded."""

    format: str
    mode: str
    height: int  # upright, that is after the EXIF orientation
    width: int


def header(path: Path) -> Header:
    """The header of an image file; raises Unreadable."""
    with _opened(path) as image:
        width, height = image.size
        if "exif" in image.info and _orientation(image) >= 5:
            width, height = height, width
        return Header(image.format or "", image.mode, height, width)


def decode(path: Path, side: int, channels: int) -> np.ndarray:
    """One file as uint8, height × width × channels (1 or 3), upright, `fit` to `side`; raises Unreadable.

    Transparency is laid on white. 16-bit grey is scaled to 8 bits by 255/65535; floating point pixels are refused, for
    nothing says what their range is. CMYK and the like go to RGB, and colour to grey by ITU-R 601 luma, as Pillow does.
    A JPEG is decoded no larger than needed (`draft`). Of an animation the first frame counts.
    """
    with _opened(path) as image:
        shrink = max(min(image.size) / side, 1)
        image.draft(image.mode if channels == 3 else "L", (int(image.width / shrink), int(image.height / shrink)))
        image.load()
        small = fit(_flat(image, channels), side)
        turn = _UPRIGHT.get(_orientation(image))
        array = np.asarray(small if turn is None else small.transpose(turn))
        return array[:, :, None] if channels == 1 else array


def fit(image: Image.Image, side: int) -> Image.Image:
    """The middle of an L or RGB image with a long side of at most twice the short, shrunk to a short side of at most `side`.

    Shrunk by Lanczos with antialiasing; never enlarged. So no image takes more than 2 · side² pixels.
    """
    short = min(image.size)
    width, height = (min(length, 2 * short) for length in image.size)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    box = (left, top, left + width, top + height)
    if short > side:
        size = (max(round(width * side / short), 1), max(round(height * side / short), 1))
        return image.resize(size, Image.Resampling.LANCZOS, box, reducing_gap=3.0)
    return image if image.size == (width, height) else image.crop(box)


def decode_all(paths: Sequence[Path], side: int, channels: int) -> list[np.ndarray | Unreadable]:
    """Each file decoded, or why not, on as many threads as there are cores."""

    def attempt(path: Path) -> np.ndarray | Unreadable:
        try:
            return decode(path, side, channels)
        except Unreadable as error:
            return error

    return list(pool().map(attempt, paths))


def stacked(arrays: Sequence[np.ndarray], channels: int) -> Images:
    """Arrays of height × width × channels as one batch, padded only where shapes differ."""
    sizes = np.array([array.shape[:2] for array in arrays], np.int32).reshape(-1, 2)
    height, width = sizes.max(0, initial=0)
    if len(arrays) and (sizes == sizes[0]).all():
        pixels = np.stack(arrays)
    else:
        pixels = np.zeros((len(arrays), height, width, channels), np.uint8)
        for row, array in zip(pixels, arrays):
            row[: array.shape[0], : array.shape[1]] = array
    return Images(torch.from_numpy(pixels), torch.from_numpy(sizes))


def pool() -> ThreadPoolExecutor:
    """The threads that decode (Pillow lets go of the interpreter's lock); made when first asked for, anew after a fork."""
    return _pool(os.getpid())


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="decode")


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """An image whose header was read and found to be of a bearable size; whatever goes wrong becomes Unreadable."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > LIMIT:
                raise Image.DecompressionBombError
            yield image
    except Unreadable:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unreadable(f"its header claims more than {LIMIT // 10**6} million pixels") from None
    except UnidentifiedImageError:
        raise Unreadable("it is not an image" if path.stat().st_size else "the file is empty") from None
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    except Exception as error:  # on broken bytes a decoder may raise anything; the sample is reported, not lost
        raise Unreadable(f"{type(error).__name__}: {error}") from None


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; upright where the EXIF block itself is broken, for the pixels are not."""
    try:
        value = image.getexif().get(0x0112, 1)
    except Exception:  # Pillow's EXIF parser raises whatever a broken block leads to
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _flat(image: Image.Image, channels: int) -> Image.Image:
    """Any mode as L or RGB without transparency."""
    if image.mode == "F":
        raise Unreadable("its pixels are floating point numbers")
    if image.mode == "I" or image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise Unreadable("its grey values do not lie in 0 … 65535")
        image = Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
    elif image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white
    mode = "L" if channels == 1 else "RGB"
    return image if image.mode == mode else image.convert(mode)
