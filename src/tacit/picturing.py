"""What can be seen of samples: a small picture of each, whatever kind of data they are."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tacit.data.clouds.depth import depth
from tacit.data.pairs import Pairs
from tacit.data.samples import Samples
from tacit.data.series.drawing import lines
from tacit.data.sounds.picture import pictures
from tacit.embeddings.sheet import SIDE, thumbnail

DRAWN = ("image", "video", "cloud", "series", "audio")


def thumbnails(samples: Samples, content: Any) -> list[bytes]:
    """One of each sample that was decoded into `content`, of a pair its first part; none of kinds that are not drawn."""
    if isinstance(samples, Pairs):
        return thumbnails(samples.first, content[0])
    return [thumbnail(picture) for picture in _drawn(samples, content)] if samples.kind in DRAWN else []


def _drawn(samples: Samples, content: Any) -> Iterator[np.ndarray]:
    if samples.kind == "cloud":
        yield from depth(*content)
    elif samples.kind == "series":
        yield from lines(*content)
    elif samples.kind == "audio":
        yield from pictures(content, samples.facts()["rate"])
    else:
        images = content.middles(SIDE) if samples.kind == "video" else content
        yield from (pixels[:h, :w].numpy() for pixels, (h, w) in zip(images.pixels, images.sizes.tolist()))
