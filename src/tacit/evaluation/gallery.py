"""Samples to look at, as HTML: thumbnails, profiles of numbers, texts, or ids, in strips and in groups."""

import base64
import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from tacit.errors import TacitError
from tacit.evaluation import charts


class Shown(NamedTuple):
    """A sample as the report shows it."""

    id: str
    image: bytes = b""  # PNG, JPEG or WebP; empty where there is nothing to see
    label: str = ""
    score: float = math.nan  # similarity, to whatever the sample is shown for
    values: Sequence[float] = ()  # of a sample that is a row of numbers, each in standard deviations from its column's mean
    note: str = ""  # what else is to be said under it
    text: str = ""  # of a sample that is one: it has a line to itself


class Strip(NamedTuple):
    """A sample and its nearest neighbours, best first."""

    query: Shown
    hits: Sequence[Shown]


class Gallery(NamedTuple):
    """Samples that have something in common."""

    title: str
    about: str  # one sentence, or nothing
    samples: Sequence[Shown]


def strip(shown: Strip) -> str:
    """The query at the left, in a frame, and its neighbours; those of the query's label are ticked."""
    hits = "".join(_figure(hit, "hit", same=bool(hit.label) and hit.label == shown.query.label) for hit in shown.hits)
    kind = "strip texts" if shown.query.text else "strip"
    return f'<div class="{kind}">{_figure(shown.query, "query", same=False)}<div class="hits">{hits}</div></div>'


def gallery(shown: Gallery) -> str:
    """A heading, its sentence, and the samples in rows."""
    about = f'<p class="hint">{escape(shown.about)}</p>' if shown.about else ""
    figures = "".join(_figure(sample, "hit", same=False) for sample in shown.samples)
    return f'<div class="gallery"><h3>{escape(shown.title)}</h3>{about}<div class="hits">{figures}</div></div>'


def _figure(sample: Shown, kind: str, same: bool) -> str:
    alt, words = escape(sample.id), []
    if sample.image:
        content = base64.b64encode(sample.image).decode()
        picture = f'<img src="data:{_media_type(sample.image)};base64,{content}" alt="{alt}">'
    elif len(sample.values):
        picture = charts.profile(sample.values, f"the numbers of {sample.id}")
        words.append(f'<span class="id">{escape(_end(sample.id))}</span>')
    elif sample.text:
        kind, picture = f"{kind} text", f"<p>{escape(sample.text)}</p>"
    else:
        picture = f'<span class="unseen">{alt}</span>'
    if sample.label:
        words.append(f'<span class="{"same" if same else "word"}">{escape(sample.label)}{" ✓" if same else ""}</span>')
    if sample.note:
        words.append(f'<span class="note">{escape(sample.note)}</span>')
    if math.isfinite(sample.score):
        words.append(f'<span class="score">{f"{sample.score:.2f}".replace("-", "−")}</span>')
    return f'<figure class="{kind}" title="{alt}">{picture}<figcaption>{" ".join(words)}</figcaption></figure>'


def _end(id: str, longest: int = 8) -> str:
    """As much of an id's end as fits under a picture; the whole id is its title."""
    return id if len(id) <= longest else f"…{id[1 - longest :]}"


def _media_type(image: bytes) -> str:
    for start, name in ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"RIFF", "image/webp")):
        if image.startswith(start):
            return name
    raise TacitError("A thumbnail is neither PNG nor JPEG nor WebP; encode it as one of them.")
