"""The compiled pass against the tensor program, on every shape, and on however many threads."""

import numpy as np
import pytest
import torch

from tacit.data.samples import Images
from tacit.views import compiled, image, pixels
from tacit.views.image import ImageViews

RICH = {"blur": 0.6, "solarise": 0.3, "grey": 0.3, "flip": 0.5, "crop": (0.02, 1.0)}


def content(n, h, w, c):
    made = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (n, h, w, c), dtype=np.uint8))
    made[:, : h // 4] = made[:, :1, :1]
    made[:, h // 4 : h // 3] = made[:, h // 4 : h // 3, :, :1]
    return Images(made, torch.tensor([[h, w]], dtype=torch.int32).repeat(n, 1))


def by_tensors(views, given, drawn, size):
    kernel = max(3, int(0.1 * size) // 2 * 2 + 1)
    box = (drawn["box"] * given.sizes.repeat(1, 2)).round().long()
    x = image._recoloured(pixels.resized_crop(given.pixels, box, drawn["flip"], size), drawn, kernel)
    return (x - torch.tensor(views.mean).view(-1, 1, 1)) / torch.tensor(views.std).view(-1, 1, 1)


@pytest.mark.parametrize(("h", "w"), [(32, 32), (40, 57), (300, 90), (5, 9)])
@pytest.mark.parametrize("size", [2, 3, 32, 65, 224])
@pytest.mark.parametrize("channels", [1, 3])
def test_it_equals_the_tensor_program(h, w, size, channels):
    given = content(24, h, w, channels)
    facts = {"size": size, "mean": [0.4, 0.5, 0.6][:channels], "std": [0.2, 0.25, 0.3][:channels]}
    views = ImageViews.fit(facts, **(RICH | ({"grey": 0} if channels == 1 else {})))
    ours, drawn = views.look(given, np.arange(24), 3)
    theirs = by_tensors(views, given, drawn, size)
    apart = (ours - theirs).abs()
    # solarising tears apart what rounding put on two sides of the threshold
    assert apart[~drawn["solarise"]].max() < 5e-5 and (apart < 5e-5).float().mean() > 0.999


def test_threads_change_nothing(monkeypatch):
    given, views = content(40, 50, 60, 3), ImageViews.fit({"size": 48, "mean": [0.4] * 3, "std": [0.2] * 3}, **RICH)
    alone = views.look(given, np.arange(40), 0)[0]
    monkeypatch.setattr(compiled, "AT_ONCE", 3 * 3 * 48 * 48)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert torch.equal(views.look(given, np.arange(40), 0)[0], alone)
