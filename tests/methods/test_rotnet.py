"""RotNet against gidariss/FeatureLearningRotNet@edafaba: TURNED is what its own `rotate_img` (dataloader.py) makes of 0 … 8."""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.pretext.rotnet import RotNet
from tacit.parts.images.turns import turns
from tacit.views import Program, modality
from tests.methods.fixed import sine

TURNED = [
    [[0, 1, 2], [3, 4, 5], [6, 7, 8]],
    [[2, 5, 8], [1, 4, 7], [0, 3, 6]],
    [[8, 7, 6], [5, 4, 3], [2, 1, 0]],
    [[6, 3, 0], [7, 4, 1], [8, 5, 2]],
]


class Flat(nn.Module):
    """An encoder that says every pixel."""

    dim = 27

    def forward(self, x):
        return x.flatten(1)


def test_images_are_turned_as_the_official_code_turns_them():
    image = torch.arange(9.0).view(1, 1, 3, 3)
    turned, which = turns(image)
    assert turned[:, 0].tolist() == TURNED and which.tolist() == [0, 1, 2, 3]


def test_all_turns_of_all_images_are_in_one_batch_and_weigh_alike():
    torch.manual_seed(0)
    method, images = RotNet(Flat()), sine(5, 3, 3, 3, rate=0.7)
    losses = [
        nn.functional.cross_entropy(
            method.head(image.rot90(quarters, (1, 2)).reshape(1, -1)), torch.tensor([quarters])
        )
        for image in images
        for quarters in range(4)
    ]  # fmt: skip
    found = method.step(Batch([images], torch.arange(5)))
    torch.testing.assert_close(found, torch.stack(losses).mean())


def test_colours_are_not_changed_and_what_is_no_picture_is_refused():
    (wished,) = [RotNet.views.of["image"]]
    views = modality("image").fit({"size": 32, "mean": [0.5] * 3, "std": [0.2] * 3}).but(**wished)
    assert (views.jitter, views.grey, views.blur, views.flip) == (0, 0, 0, 0.5)
    with pytest.raises(TacitError, match="wants Raster views"):
        Program(RotNet.views, modality("vector").fit({"mean": [0.0], "std": [1.0]}), "RotNet")
