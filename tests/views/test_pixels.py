"""Each batched pixel program against torchvision's function, image by image, and its draws against torchvision's."""

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from tacit.views import pixels

CLOSE = {"rtol": 0, "atol": 1e-2 / 255}


def images(n, h, w, c=3, seed=0):
    """Smooth and rough parts, greys and pure colours: uint8, n × h × w × c."""
    made = torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (n, h, w, c), dtype=np.uint8))
    made[:, : h // 4] = made[:, :1, :1]
    made[:, h // 4 : h // 3] = made[:, h // 4 : h // 3, :, :1]
    return made


def planar(pixels):
    return pixels.permute(0, 3, 1, 2).float() / 255


@pytest.mark.parametrize(("h", "w", "size"), [(32, 32, 32), (40, 57, 16), (150, 97, 32), (20, 24, 64)])
@pytest.mark.parametrize("channels", [1, 3])
def test_resized_crop_equals_torchvision(h, w, size, channels):
    raw = images(6, h, w, channels)
    box = torch.tensor(
        [[0, 0, h, w], [3, 5, 9, 7], [h - 1, w - 1, 1, 1], [2, 0, h - 2, 3], [0, 1, 2, w - 1], [1, 1, h // 2, w // 2]]
    )
    flip = torch.tensor([False, True, False, True, False, True])
    ours = pixels.resized_crop(raw, box, flip, size)
    for i, image in enumerate(planar(raw)):
        theirs = F.resized_crop(image, *box[i].tolist(), [size, size], antialias=True)
        torch.testing.assert_close(ours[i], F.horizontal_flip(theirs) if flip[i] else theirs, **CLOSE)


@pytest.mark.parametrize("channels", [1, 3])
def test_recolour_equals_torchvision(channels):
    n = 48
    raw = planar(images(n, 12, 17, channels))
    order = torch.stack([torch.randperm(4, generator=torch.Generator().manual_seed(i)) for i in range(n)])
    order = torch.cat((order, torch.full((n, 1), pixels.FADE)), 1)
    factors = torch.rand(n, 5, generator=torch.Generator().manual_seed(0)) * 1.6 + 0.2
    factors[:, pixels.HUE] = (factors[:, pixels.HUE] - 1) / 1.6
    factors[:, pixels.FADE] = (torch.arange(n) % 5 > 0).float()
    factors[0] = torch.tensor([1, 1, 1, 0, 1])
    ours = pixels.recolour(raw, order, factors)
    apply = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)
    for i, image in enumerate(raw):
        for operation in order[i, :4].tolist():
            image = apply[operation](image, factors[i, operation].item())
        if channels == 3 and factors[i, pixels.FADE] == 0:
            image = F.rgb_to_grayscale(image, num_output_channels=3)
        torch.testing.assert_close(ours[i], image, **CLOSE)
    torch.testing.assert_close(ours[0], raw[0], **CLOSE)


@pytest.mark.parametrize(("size", "kernel"), [(16, 3), (64, 7), (40, 23)])
def test_blur_equals_torchvision(size, kernel):
    raw = planar(images(4, size, size))
    sigma = torch.tensor([0.1, 0.5, 1.3, 2.0])
    ours = pixels.gaussian_blur(raw, sigma, kernel)
    for i in range(4):
        torch.testing.assert_close(ours[i], F.gaussian_blur(raw[i], [kernel, kernel], [sigma[i].item()] * 2), **CLOSE)


def test_solarize_equals_torchvision():
    raw = planar(images(3, 16, 16))
    torch.testing.assert_close(pixels.solarize(raw), F.solarize(raw, 0.5))


@pytest.mark.parametrize(("h", "w", "scale"), [(32, 32, (0.2, 1.0)), (375, 500, (0.08, 1.0)), (60, 300, (0.5, 1.0))])
def test_boxes_are_distributed_as_torchvisions(h, w, scale):
    n = 4000
    torch.manual_seed(0)
    transform, image = v2.RandomResizedCrop(32, scale=scale), torch.empty(3, h, w)
    theirs = [transform.make_params([image]) for _ in range(n)]
    theirs = np.array([[p["top"], p["left"], p["height"], p["width"]] for p in theirs])
    draws = torch.rand(n, 22, generator=torch.Generator().manual_seed(1))
    ours = pixels.random_box(torch.tensor([[h, w]]).expand(n, 2), draws, scale, (3 / 4, 4 / 3)).numpy()
    assert (ours[:, :2] >= 0).all() and (ours[:, 2:] >= 1).all() and (ours[:, :2] + ours[:, 2:] <= (h, w)).all()
    for side in range(4):
        assert ks_2samp(ours[:, side], theirs[:, side]).pvalue > 1e-3
    assert ks_2samp(ours[:, 2] * ours[:, 3], theirs[:, 2] * theirs[:, 3]).pvalue > 1e-3
    assert ks_2samp(ours[:, 3] / ours[:, 2], theirs[:, 3] / theirs[:, 2]).pvalue > 1e-3


@pytest.mark.parametrize(("h", "w"), [(300, 20), (20, 300), (30, 31)])
def test_a_box_that_never_fits_becomes_the_largest_central_one(h, w):
    ratio = (3 / 4, 4 / 3) if h != 30 else (0.9, 1.1)
    area = (0.99, 1.0) if h != 30 else (1.2, 1.3)  # no try can fit
    theirs = v2.RandomResizedCrop(8, scale=area, ratio=ratio).make_params([torch.empty(3, h, w)])
    ours = pixels.random_box(torch.tensor([[h, w]]), torch.rand(1, 22), area, ratio)
    assert ours[0].tolist() == [theirs["top"], theirs["left"], theirs["height"], theirs["width"]]


@pytest.mark.parametrize(("h", "w"), [(32, 32), (33, 20), (21, 40), (21, 24)])
def test_central_box_equals_center_crop(h, w):
    top, left, height, width = pixels.central_box(torch.tensor([[h, w]]))[0].tolist()
    raw = planar(images(1, h, w))[0]
    assert torch.equal(raw[:, top : top + height, left : left + width], F.center_crop(raw, [min(h, w)] * 2))


def test_a_part_of_an_image_is_whole_pixels_and_one_at_least():
    sizes = torch.tensor([[10, 20], [1, 3]], dtype=torch.int32)
    corner, part = pixels.part_of(sizes, (0.2, 0.0, 1.0, 0.8))
    assert corner.tolist() == [[2, 0], [0, 0]] and part.tolist() == [[8, 16], [1, 2]]
    assert [t.tolist() for t in pixels.part_of(sizes, (0.0, 0.0, 1.0, 1.0))] == [[[0, 0]] * 2, sizes.tolist()]
