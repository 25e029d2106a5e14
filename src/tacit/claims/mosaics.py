"""Pictures of four small ones, and what a linear head at every place of frozen maps tells: of which class is what lies there.

Where they lie says nothing of their classes, so that a head that knows places alone tells no more than chance.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from tacit.claims.claim import Measures
from tacit.data.images import ImageArrays
from tacit.evaluation.labelled.dense import dense_probe
from tacit.numerics import counter
from tacit.representing import features
from tacit.run import Run
from tacit.views.kinds import Plain

ACROSS, TILES = 32, 4  # pixels of a picture; images in it, two by two
CORNERS = np.indices((2, 2)).reshape(2, TILES) * (ACROSS // 2)  # where the quarters begin: down, along


class Mosaics(NamedTuple):
    """The pictures, n × 32 × 32 × channels, and the class at each pixel: int64, n × 32 × 32, −1 where there is none."""

    samples: ImageArrays
    masks: Tensor


def mosaics(images: Any, count: int, name: str, side: int) -> Mosaics:
    """So many pictures, each of four images drawn by counter, shrunk to `side` pixels and somewhere in their quarters."""
    rows = np.arange(count)
    draws = counter.uniform(counter.key("claims, mosaics", name), rows, 3 * TILES).reshape(count, 3, TILES)
    drawn = (draws[:, 0] * len(images)).astype(int)
    full = torch.from_numpy(images.pixels[images.rows[drawn.flatten()]]).permute(0, 3, 1, 2).float()
    small = interpolate(full, (side, side), mode="area").round().byte().permute(0, 2, 3, 1)
    tiles = small.unflatten(0, (count, TILES)).numpy()
    room = ACROSS // 2 - side + 1
    down, along = ((draws[:, 1 + axis] * room).astype(int) + corner for axis, corner in enumerate(CORNERS))
    n, _, i, j = np.indices((count, TILES, side, side))
    there = n, i + down[:, :, None, None], j + along[:, :, None, None]
    pixels = np.zeros((count, ACROSS, ACROSS, tiles.shape[-1]), np.uint8)
    pixels[there] = tiles
    masks = np.full(pixels.shape[:3], -1)
    masks[there] = images.labels[drawn][:, :, None, None]
    ids = [f"{row}" for row in rows]
    samples = ImageArrays("mosaics", pixels, rows, ids, None, (), None)
    return Mosaics(samples, torch.from_numpy(masks))


def told(run: Run, encoder: Any, probed: Mosaics, test: Mosaics) -> Measures:
    """`dense_miou` and pixel accuracy in per cent of a linear head at every place of an encoder's maps."""
    x, y = (features(run, part.samples, lambda batch: encoder.maps(batch.views[0]), Plain(), 0)[0] for part in (probed, test))
    return {number.name: 100 * number.value for number in dense_probe(x, probed.masks, y, test.masks)}
