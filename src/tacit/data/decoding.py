"""From an encoded image to a small uint8 array: any common format, mode and orientation; broken and huge ones are refused."""

import atexit
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from multiprocessing import TimeoutError as Late
from multiprocessing.pool import ThreadPool
from pathlib import Path
from threading import Event
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from tacit.data.samples import Images
from tacit.data.shrinking import shrunk
from tacit.errors import TacitError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")  # the only decoders ever tried (some of Pillow's run programs)
SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"))
LIMIT = 89_478_485  # pixels that a header may claim: from here on Pillow, too, suspects a decompression bomb
BITS = (8, 10, 12, 14, 16)  # that instruments give, and 16-bit files hold
PATIENCE = 300.0  # seconds in which one file must be read; processes wait twice as long for one another
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


Item = TypeVar("Item")
Found = TypeVar("Found")
Encoded = Path | bytes | Image.Image  # an image file, its content, or what was opened by someone else


class Unreadable(Exception):
    """Why one image could not be read; its sample is skipped, counted and named."""


class Header(NamedTuple):
    """What a file says of itself before it is decoded."""

    format: str
    mode: str
    height: int  # upright, that is after the EXIF orientation
    width: int


def header(content: Encoded) -> Header:
    """The header of an image; raises Unreadable."""
    with _opened(content) as image:
        width, height = image.size
        if "exif" in image.info and _orientation(image) >= 5:
            width, height = height, width
        return Header(image.format or "", image.mode, height, width)


class Decoded(NamedTuple):
    """One image as it is learned from."""

    pixels: np.ndarray  # uint8, height × width × channels (1 or 3)
    clipped: bool  # whether it is 16-bit grey with values above the bits asked for, which became white


def decode(content: Encoded, side: int, channels: int, bits: int = 16) -> Decoded:
    """One image, upright, `fit` to `side`; raises Unreadable.

    Transparency is laid on white. 16-bit grey is scaled to 8 bits by 255 / (2^bits − 1), what is above becoming white;
    floating point pixels are refused, for nothing says what their range is. CMYK and the like go to RGB, and colour to
    grey by ITU-R 601 luma, as Pillow does. A JPEG is decoded no larger than needed (`draft`). Of an animation the first
    frame counts.
    """
    with _opened(content) as image:
        if not isinstance(content, Image.Image):  # `draft` changes the image that it is called on
            shrink = max(min(image.size) / side, 1)
            image.draft(image.mode if channels == 3 else "L", (int(image.width / shrink), int(image.height / shrink)))
        image.load()
        flat, clipped = _flat(image, channels, bits)
        small = fit(flat, side)
        turn = _UPRIGHT.get(_orientation(image))
        array = np.asarray(small if turn is None else small.transpose(turn))
        return Decoded(array[:, :, None] if channels == 1 else array, clipped)


def brightest(content: Encoded) -> int:
    """The largest value of a 16-bit grey image; 0 for any other; raises Unreadable."""
    with _opened(content) as image:
        return int(np.asarray(image).max()) if _is_deep(image.mode) else 0


def bits_for(largest: int) -> int:
    """The smallest of 8, 10, 12, 14 and 16 bits that holds a value."""
    return next((bits for bits in BITS if largest < 2**bits), BITS[-1])


def to_8_bits(values: np.ndarray, bits: int) -> np.ndarray:
    """Whole numbers from 0 to 2^bits − 1 as uint8, rounded; larger ones become 255."""
    most = 2**bits - 1
    return ((np.minimum(values, most).astype(np.uint32) * 255 + most // 2) // most).astype(np.uint8)


def fit(image: Image.Image, side: int) -> Image.Image:
    """The middle of an L or RGB image with a long side of at most twice the short, shrunk to a short side of at most `side`.

    Shrunk by Lanczos with antialiasing; never enlarged. So no image takes more than 2 · side² pixels.
    """
    rows, columns, (height, width) = fitting(image.height, image.width, side)
    box = (columns.start, rows.start, columns.stop, rows.stop)
    if (height, width) == (rows.stop - rows.start, columns.stop - columns.start):
        return image if box == (0, 0, *image.size) else image.crop(box)
    pixels = np.asarray(image)[rows, columns]
    (small,) = shrunk((pixels[:, :, None] if pixels.ndim == 2 else pixels)[None], height, width)
    return Image.fromarray(small[:, :, 0] if small.shape[2] == 1 else small)


def fit_all(pixels: np.ndarray, side: int) -> np.ndarray:
    """The same of images of one shape, uint8, n × h × w × c, on as many threads as there are cores."""
    rows, columns, (height, width) = fitting(pixels.shape[1], pixels.shape[2], side)
    part = pixels[:, rows, columns]
    if (height, width) == part.shape[1:3]:
        return np.ascontiguousarray(part)
    pieces = np.array_split(part, min(os.cpu_count() or 1, max(len(part), 1)))
    return np.concatenate(at_once(lambda piece: shrunk(piece, height, width), pieces))


def fitting(height: int, width: int, side: int) -> tuple[slice, slice, tuple[int, int]]:
    """Which rows and columns of an image `fit` takes, and the height and width that it gives them."""
    short = min(height, width)
    tall, wide = (min(length, 2 * short) for length in (height, width))
    top, left = (height - tall) // 2, (width - wide) // 2
    size = (tall, wide) if short <= side else (max(round(tall * side / short), 1), max(round(wide * side / short), 1))
    return slice(top, top + tall), slice(left, left + wide), size


def decode_all(
    content: Callable[[int], Encoded], rows: Sequence[int], names: Sequence[str], side: int, channels: int, bits: int
) -> list[Decoded | Unreadable]:
    """The image of each row fetched and decoded, or why not (`at_once`)."""

    def attempt(row: int) -> Decoded | Unreadable:
        try:
            return decode(content(row), side, channels, bits)
        except Unreadable as error:
            return error

    return at_once(attempt, rows, names)


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


def at_once(work: Callable[[Item], Found], items: Sequence[Item], names: Sequence[object] = ()) -> list[Found]:
    """`work` of each item, in their order, on as many threads as there are cores (Pillow lets go of the interpreter's lock).

    Raises TacitError with the name of an item (or the item) where nothing has come of it PATIENCE seconds after the one before:
    a drive or a server that hangs never answers. No exit waits for the thread that is lost to it.
    """
    over = Event()

    def one(item: Item) -> Found | None:
        return None if over.is_set() else work(item)

    coming = _pool(os.getpid()).imap(one, items)
    found: list = []
    try:
        for _ in items:
            found.append(coming.next(PATIENCE))
    except Late:
        late = (names or items)[len(found)]
        raise TacitError(
            f"{late} is there but has not been read after {PATIENCE / 60:g} minutes; see whether the drive or server on which "
            "it lies answers, and start again; a training goes on from its last save by --resume."
        ) from None
    finally:
        over.set()  # nobody waits any more for what was not begun
    return found


@cache
def _pool(process: int) -> ThreadPool:
    """Made when first asked for, anew after a fork."""
    threads = ThreadPool(os.cpu_count() or 1)
    atexit.register(threads.close)  # else it complains of its end
    return threads


@contextmanager
def _opened(content: Encoded) -> Iterator[Image.Image]:
    """An image whose header was read and found to be of a bearable size; whatever goes wrong becomes Unreadable."""
    try:
        if isinstance(content, Image.Image):
            yield _bounded(content)
        elif isinstance(content, Path) and not content.is_file() and content.exists():
            raise Unreadable("it is no regular file")  # of a named pipe nothing may ever come
        else:
            with Image.open(BytesIO(content) if isinstance(content, bytes) else content, formats=FORMATS) as image:
                yield _bounded(image)
    except Unreadable:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unreadable(f"its header claims more than {LIMIT // 10**6} million pixels") from None
    except UnidentifiedImageError:
        size = content.stat().st_size if isinstance(content, Path) else len(content) if isinstance(content, bytes) else 1
        raise Unreadable("it is not an image" if size else "the file is empty") from None
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    except Exception as error:  # on broken bytes a decoder may raise anything; the sample is reported, not lost
        raise Unreadable(f"{type(error).__name__}: {error}") from None


def _bounded(image: Image.Image) -> Image.Image:
    if image.width * image.height > LIMIT:
        raise Image.DecompressionBombError
    return image


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; upright where the EXIF block itself is broken, for the pixels are not."""
    try:
        value = image.getexif().get(0x0112, 1)
    except Exception:  # Pillow's EXIF parser raises whatever a broken block leads to
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _flat(image: Image.Image, channels: int, bits: int) -> tuple[Image.Image, bool]:
    """Any mode as L or RGB without transparency, and whether 16-bit values were clipped."""
    clipped = False
    if image.mode == "F":
        raise Unreadable("its pixels are floating point numbers")
    if _is_deep(image.mode):
        values = np.asarray(image)
        largest = values.max()
        if values.min() < 0 or largest > 65535:
            raise Unreadable("its grey values do not lie in 0 … 65535")
        clipped = bool(largest >= 2**bits)
        image = Image.fromarray(to_8_bits(values, bits))
    elif image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white
    mode = "L" if channels == 1 else "RGB"
    return image if image.mode == mode else image.convert(mode), clipped


def _is_deep(mode: str) -> bool:
    return mode == "I" or mode.startswith("I;16")
