"""The compiled Lanczos filter against Pillow's."""

import numpy as np
import pytest
from PIL import Image

from tacit.data.shrinking import shrunk


@pytest.mark.parametrize(("h", "w", "height", "width"), [(375, 500, 256, 341), (40, 57, 8, 11), (9, 300, 3, 100), (5, 4, 1, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_pillows_within_two_grey_levels(h, w, height, width, channels):
    random = np.random.default_rng(0)
    pixels = random.integers(80, 176, (2, h, w, channels), dtype=np.uint8)  # Pillow cuts off what overshoots, twice
    ours = shrunk(pixels, height, width)
    images = (Image.fromarray(one[:, :, 0] if channels == 1 else one) for one in pixels)
    theirs = [np.asarray(image.resize((width, height), Image.Resampling.LANCZOS)) for image in images]
    apart = np.abs(ours.astype(int) - np.stack(theirs).reshape(ours.shape))
    assert ours.shape == (2, height, width, channels) and apart.max() <= 2 and (apart > 0).mean() < 0.4


def test_one_colour_stays_that_colour():
    for value in (0, 77, 255):
        assert (shrunk(np.full((1, 50, 70, 3), value, np.uint8), 21, 30) == value).all()
