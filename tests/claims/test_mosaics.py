"""Pictures of four small ones."""

import numpy as np
import torch

from tacit.claims.mosaics import mosaics
from tacit.data.generated import tiny_images


def test_each_quarter_shows_an_image_of_the_class_that_its_mask_names():
    images = tiny_images(40, size=28)
    shown, masks = mosaics(images, 6, "here", 14)
    assert masks.shape == (6, 32, 32) and shown.pixels.shape == (6, 32, 32, images.pixels.shape[3])
    assert (shown.pixels[masks.numpy() < 0] == 0).all() and ((masks >= 0).sum((1, 2)) == 4 * 14 * 14).all()
    halves = torch.nn.functional.avg_pool2d(torch.from_numpy(images.pixels).permute(0, 3, 1, 2).float(), 2).round()
    for picture, mask in zip(shown.pixels, masks):
        for half in (mask[:16], mask[16:]):
            assert all(len(quarter[quarter >= 0].unique()) == 1 for quarter in (half[:, :16], half[:, 16:]))
        rows, columns = np.nonzero(mask[:16, :16].numpy() >= 0)
        tile = torch.from_numpy(picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]).permute(2, 0, 1)
        found = int((halves - tile).abs().sum((1, 2, 3)).argmin())
        assert torch.equal(halves[found], tile.float()) and images.labels[found] == mask[rows[0], columns[0]]


def test_they_differ_by_name_and_are_the_same_again():
    images = tiny_images(40, size=28)
    first, again, other = (mosaics(images, 3, name, 16).samples.pixels for name in ("here", "here", "there"))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
