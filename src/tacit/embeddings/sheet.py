"""Small pictures of samples, and a sheet of them that shows what a search found."""

import struct
import zlib
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

from tacit.embeddings.search import Hit

SIDE = 64  # pixels, the longer side of a thumbnail at most
LARGEST = 1024  # pixels, of a picture that a sheet will decode

ACROSS = 5  # pictures in a row
FRAME, GAP, LINE = 96, 14, 15  # pixels: the square a picture is fitted into, the space around, a line of caption
INK, FAINT, EMPTY, PAPER, ACCENT = "#1c1c1e", "#77777c", "#ececef", "#ffffff", "#d9480f"


def thumbnail(pixels: np.ndarray) -> bytes:
    """A small copy of an image, uint8, h × w × c with 1 or 3 channels.

    One that fits into 64 pixels is kept exactly as it is, as PNG that is not compressed, which takes a tenth of the time of a
    small encoder's pass; a larger one is shrunk and becomes JPEG.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or 0 in pixels.shape:
        raise ValueError(f"a thumbnail is made of uint8, h × w × 1 or 3, not of {pixels.dtype}, {pixels.shape}")
    if max(pixels.shape[:2]) <= SIDE:
        return _stored(pixels)
    image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))
    file = BytesIO()
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    image.save(file, "JPEG", quality=85)
    return file.getvalue()


def _stored(pixels: np.ndarray) -> bytes:
    """PNG (ISO 15948) whose one block of pixels is stored as it is: Pillow's own way takes ten times as long for small ones."""
    high, wide, channels = pixels.shape
    lines = np.zeros((high, 1 + wide * channels), np.uint8)  # each begins with its filter: none
    lines[:, 1:] = pixels.reshape(high, -1)
    header = struct.pack(">IIBBBBB", wide, high, 8, 2 if channels == 3 else 0, 0, 0, 0)
    file = b"\x89PNG\r\n\x1a\n"
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 0)), (b"IEND", b"")):
        file += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
    return file


def contact_sheet(query_thumb: bytes | None, hits: Sequence[Hit]) -> Image.Image:
    """The hits' thumbnails in rows of five, best first, with their ids and scores; the query first, in a frame.

    A query without a picture (a vector) is left out; a hit without one shows its text or its label in an empty square.
    """
    cells = [_Cell(hit.thumbnail, hit.label or "", hit.id, f"{hit.score:.3f}", INK, hit.text or "") for hit in hits]
    if query_thumb is not None:
        cells.insert(0, _Cell(query_thumb, "", "query", "", ACCENT))
    across = min(ACROSS, max(len(cells), 1))
    down = max(-(-len(cells) // across), 1)
    wide, high = FRAME + GAP, FRAME + 2 * LINE + GAP
    sheet = Image.new("RGB", (across * wide + GAP, down * high + GAP), PAPER)
    for number, cell in enumerate(cells):
        _draw(sheet, cell, GAP + number % across * wide, GAP + number // across * high)
    if query_thumb is not None:
        ImageDraw.Draw(sheet).rectangle((GAP - 5, GAP - 5, GAP + FRAME + 4, GAP + FRAME + 4), outline=ACCENT, width=3)
    return sheet


class _Cell(NamedTuple):
    """One picture of a sheet and what is written in or under it."""

    picture: bytes | None
    label: str
    name: str
    score: str
    ink: str
    text: str = ""


def _draw(sheet: Image.Image, cell: _Cell, left: int, top: int) -> None:
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=11)
    middle = left + FRAME / 2
    image = None if cell.picture is None else _decode(cell.picture)
    if image is None:
        draw.rectangle((left, top, left + FRAME - 1, top + FRAME - 1), EMPTY)
        if cell.text:
            lines = wrapped(cell.text, FRAME - 8, font)[: FRAME // LINE]
            draw.multiline_text((left + 4, top + 3), "\n".join(lines), INK, font, spacing=2)
        else:
            draw.text((middle, top + FRAME / 2), _fit(cell.label, font.getlength), FAINT, font, "mm")
    else:
        image = _scale(image)
        sheet.paste(image, (left + (FRAME - image.width) // 2, top + (FRAME - image.height) // 2))
    draw.text((middle, top + FRAME + LINE / 2 + 4), _fit(cell.name, font.getlength), cell.ink, font, "mm")
    draw.text((middle, top + FRAME + 3 * LINE / 2 + 2), cell.score, FAINT, font, "mm")


def _decode(picture: bytes) -> Image.Image | None:
    """A thumbnail's image; None for what is not a small picture."""
    try:
        image = Image.open(BytesIO(picture), formats=("PNG", "JPEG"))
        return image.convert("RGB") if max(image.size) <= LARGEST else None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return None


def _scale(image: Image.Image) -> Image.Image:
    """Fitted into the frame: small ones in whole steps, pixel by pixel, others smoothly."""
    times = FRAME // max(image.size)
    if times >= 2:
        return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
    factor = FRAME / max(image.size)
    size = (max(round(image.width * factor), 1), max(round(image.height * factor), 1))
    return image.resize(size, Image.Resampling.LANCZOS)


def wrapped(text: str, room: float, font: Any) -> list[str]:
    """The words of a text in lines no wider than `room` pixels, unless a word is."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _fit(text: str, length: Callable[[str], float]) -> str:
    """The text, or as much of its end as fits under a picture: of ids the ends differ."""
    if length(text) <= FRAME:
        return text
    return next(("…" + text[at:] for at in range(1, len(text)) if length("…" + text[at:]) <= FRAME), "…")
