"""A sheet of the views that training will see: one row per sample, what it is at the left."""

import math
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from tacit.data.clouds.depth import depth
from tacit.data.samples import Images
from tacit.data.series.drawing import lines
from tacit.data.sounds.picture import spectrograms
from tacit.embeddings.output import appearing
from tacit.embeddings.sheet import wrapped
from tacit.errors import TacitError
from tacit.numerics.points import Groups
from tacit.views import Modality, Program
from tacit.views.kinds import Plain, Seen

CELL, GAP, LINE = 112, 12, 15  # pixels: the square a view is fitted into, the space around it, a line of caption
INK, FAINT, EMPTY, PAPER = "#1c1c1e", "#77777c", "#ececef", "#ffffff"
COLOURS = ("#d9480f", "#1c7ed6", "#2f9e44", "#9c36b5", "#e67700", "#0b7285", "#c2255c", "#5f3dc4")
ROLES = {
    **{"global": "view", "local": "small view", "masked": "masked view", "plain": "plain view"},
    **{"apart": "two clips", "speeds": "three speeds", "shuffled": "out of order"},
}
MARK = ("Software", "Tacit")  # in the head of a PNG: `tacit search` draws over such alone where nobody says over what
REACH = 3.0  # standard deviations that a bar of a vector may rise


def save(picture: Image.Image, path: str | Path) -> None:
    """Write a picture in the format that the name ends in."""
    path = Path(path)
    format = Image.registered_extensions().get(path.suffix.lower())
    if format not in Image.SAVE:
        raise TacitError(f"{path} does not end as the name of a picture does; let it end in .png.")
    path.parent.mkdir(parents=True, exist_ok=True)
    marks = PngInfo()
    marks.add_text(*MARK)
    try:
        with appearing(path) as part:
            picture.save(part, format, pnginfo=marks)
    except ValueError as error:  # as of a picture that is larger than its format can be
        raise TacitError(f"{path} could not be written ({error}); let it end in .png.") from error


def sheet(content: Any, ids: Sequence[str], program: Program, index: np.ndarray, key: int) -> Image.Image:
    """Draw each sample and its views, as `program(content, index, key)` gives them.

    Images: the original with a frame for each view's crop, then the views in their own colours (standardisation undone),
    small ones small, hidden patches grey. Point clouds: their points. Videos: four frames of a clip in a square, of several
    clips a row for each. Series: a line per channel. Sounds: their spectrograms. Vectors: a bar per feature, in standard
    deviations, ±3. Texts: their words. A pair: first one part, then the other.
    """
    modality, n = program.modality, len(ids)
    plain, _ = Program(Plain(), modality)(content, index, key)
    views, params = program(content, index, key)
    columns: list[tuple[str, str, list[Image.Image]]] = []
    for part in range(modality.parts):
        own = content if modality.parts == 1 else content[part]
        looks = getattr(modality, ("first", "second")[part]) if modality.parts > 1 else modality
        mine = [(v, seen) for v, seen in enumerate(program.seen) if seen.part == part]
        colours = dict(zip((v for v, _ in mine), cycle(COLOURS)))
        originals = _pictures(plain[part], looks, [FAINT] * n) if looks.name != "image" else _originals(own)
        for v, colour in colours.items():
            if "box" in params[v] and program.seen[v].role != "plain":
                _frame(originals, params[v]["box"], colour)
        columns.append(("original", FAINT, originals))
        for v, seen in mine:
            pictures = _pictures(views[v], looks, [colours[v]] * n, params[v].get("mask"))
            if looks.name == "image" and "mask" in params[v]:
                _cover(pictures, params[v]["mask"])
            columns.append((_title(v, seen), colours[v], pictures))
    return _laid_out(columns, ids)


def _originals(content: Images) -> list[Image.Image]:
    """Each image without its padding, fitted into a cell."""
    pictures = []
    for pixels, (height, width) in zip(content.pixels.cpu().numpy(), content.sizes.tolist()):
        scale = CELL / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        pictures.append(_picture(pixels[:height, :width]).resize(size, _sampling(scale)))
    return pictures


def _pictures(view: Any, looks: Modality, colours: Sequence[str], hidden: Tensor | None = None) -> list[Image.Image]:
    if looks.name == "cloud":
        return _clouds(view, hidden)
    if looks.name == "video":
        return _clips(view, looks)
    if looks.name == "series":
        return _series(view, looks, hidden)
    if looks.name == "audio":
        return _sounds(view, looks)
    if looks.name == "text":
        return [_written(text) for text in looks.lexicon.said(view)]  # type: ignore[attr-defined]
    return _images(view, looks) if looks.name == "image" else _bars(view, colours)


def _images(view: Tensor, looks: Any) -> list[Image.Image]:
    """Views of images with their standardisation undone, at a common scale."""
    mean, std = (np.array(v, np.float32).reshape(-1, 1, 1) for v in (looks.mean, looks.std))
    pixels = ((view.float().cpu().numpy() * std + mean) * 255).round().clip(0, 255).astype(np.uint8)
    side = max(1, round(CELL * min(1.0, view.shape[2] / looks.size)))
    return [_picture(image.transpose(1, 2, 0)).resize((side, side), _sampling(side / view.shape[2])) for image in pixels]


def _clouds(view: Tensor | Groups, hidden: Tensor | None) -> list[Image.Image]:
    """Points seen from a little above, the nearer the darker; those of hidden groups grey."""
    if isinstance(view, Groups):
        hidden = None if hidden is None else hidden[:, :, None].expand(view.points.shape[:3]).flatten(1)
        view = (view.points + view.centres[:, :, None]).flatten(1, 2)
    counts = torch.full((len(view),), view.shape[1])
    return [Image.fromarray(picture) for picture in depth(view, counts, CELL, hidden)]


def _clips(view: Tensor, looks: Any) -> list[Image.Image]:
    """Four frames of each clip n × c × t × h × w, two by two; of n × k clips four of each in a row, or their only one."""
    clips = view[:, None] if view.ndim == 5 else view
    shown = np.unique(np.linspace(0, clips.shape[3] - 1, 4).round().astype(int))
    frames = clips[:, :, :, shown].movedim(2, 3).flatten(1, 2)  # n × (clips and times) × c × h × w
    across = len(shown) if view.ndim == 6 and len(shown) > 1 else max(1, math.isqrt(frames.shape[1]))
    each = CELL // max(across, -(-frames.shape[1] // across))
    mean, std = (torch.tensor(v, device=view.device).view(-1, 1, 1) for v in (looks.mean, looks.std))
    pixels = ((frames.float() * std + mean) * 255).round().clamp(0, 255).byte().movedim(2, 4).cpu().numpy()
    pictures = []
    for several in pixels:
        picture = Image.new("RGB", (CELL, CELL), EMPTY)
        for number, frame in enumerate(several):
            place = (number % across * each, number // across * each)
            picture.paste(_picture(frame).resize((each - 2, each - 2), _sampling(each / frame.shape[0])), place)
        pictures.append(picture)
    return pictures


def _series(view: Tensor, looks: Any, hidden: Tensor | None) -> list[Image.Image]:
    """A line for each channel, as far as it was measured; hidden patches grey."""
    values = view[:, : len(looks.mean)]
    if looks.gaps:
        values = values.masked_fill(view[:, -1:] == 0, torch.nan)
    ends = torch.full((len(view),), view.shape[2])
    return [Image.fromarray(picture) for picture in lines(values, ends, CELL, hidden)]


def _sounds(view: Tensor, looks: Any) -> list[Image.Image]:
    """Spectrograms, those of short views narrower."""
    wide = max(round(CELL * min(view.shape[1] / looks.samples(looks.seconds), 1)), 1)
    return [_picture(one).resize((wide, CELL), Image.Resampling.NEAREST) for one in spectrograms(view, looks.sample_rate)]


def _written(text: str) -> Image.Image:
    """As much of a text as fits into a cell."""
    picture, font = Image.new("RGB", (CELL, CELL), EMPTY), ImageFont.load_default(10)
    lines = wrapped(text, CELL - 8, font)[: (CELL - 6) // 12]
    ImageDraw.Draw(picture).multiline_text((4, 3), "\n".join(lines), INK, font, spacing=2)
    return picture


def _bars(view: Any, colours: Sequence[str]) -> list[Image.Image]:
    """Vectors, or the features of nodes, as bars around a line at 0."""
    pictures, middle = [], CELL // 2
    numbers = view if isinstance(view, Tensor) else view.raw()
    for values, colour in zip(numbers.float().cpu().numpy(), colours):
        picture = Image.new("RGB", (CELL, CELL), EMPTY)
        draw = ImageDraw.Draw(picture)
        edges = np.linspace(0, CELL, len(values) + 1)
        for value, left, right in zip(values.clip(-REACH, REACH) / REACH * (middle - 1), edges, edges[1:]):
            low, high = sorted((middle, round(middle - float(value))))
            draw.rectangle((int(left), low, max(int(left), int(right) - 2), high), fill=colour)
        draw.line((0, middle, CELL, middle), fill=INK)
        pictures.append(picture)
    return pictures


def _frame(pictures: Sequence[Image.Image], boxes: Tensor, colour: str) -> None:
    """Draw on each original where a view was cut."""
    for picture, (top, left, height, width) in zip(pictures, boxes.tolist()):
        right, bottom = (left + width) * picture.width - 1, (top + height) * picture.height - 1
        ImageDraw.Draw(picture).rectangle((left * picture.width, top * picture.height, right, bottom), outline=colour, width=2)


def _cover(pictures: Sequence[Image.Image], masks: Tensor) -> None:
    """Grey out what each view hides: bool, n × patches of a square grid."""
    grid = math.isqrt(masks.shape[1])
    for picture, hidden in zip(pictures, masks.view(-1, grid, grid).byte().cpu().numpy()):
        picture.paste(FAINT, mask=Image.fromarray(255 * hidden).resize(picture.size, Image.Resampling.NEAREST))


def _picture(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)).convert("RGB")


def _sampling(scale: float) -> Image.Resampling:
    return Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.BOX  # enlarged pixels are shown as they are


def _title(number: int, seen: Seen) -> str:
    role = ROLES[seen.role]
    return f"{role} {number + 1}" + (" of partner" if seen.partner else "")


def _laid_out(columns: Sequence[tuple[str, str, list[Image.Image]]], ids: Sequence[str]) -> Image.Image:
    wide, high = CELL + GAP, CELL + LINE + GAP
    page = Image.new("RGB", (GAP + len(columns) * wide, GAP + LINE + len(ids) * high), PAPER)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(11)
    for number, (title, colour, pictures) in enumerate(columns):
        left = GAP + number * wide
        draw.text((left, GAP // 2), title, fill=colour, font=font)
        for row, picture in enumerate(pictures):
            top = GAP + LINE + row * high
            page.paste(picture, (left + (CELL - picture.width) // 2, top + (CELL - picture.height) // 2))
    for row, name in enumerate(ids):
        draw.text(
            (GAP, GAP + LINE + row * high + CELL + 1), _shortened(name, wide * len(columns) - GAP, font), fill=FAINT, font=font
        )
    return page


def _shortened(text: str, width: int, font: Any) -> str:
    """The end of a long name, which tells more than its beginning."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength("…" + text) > width:
        text = text[1:]
    return "…" + text
