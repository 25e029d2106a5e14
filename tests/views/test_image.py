"""Views of images: what is drawn, that a draw is the sample's own, and that padding, ragged sizes and one channel hold."""

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp, kstest
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from tacit.data.samples import Images
from tacit.errors import TacitError
from tacit.views.image import ImageViews

FACTS = {"shape": [3, 40, 50], "channels": 3, "size": 24, "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3]}
RICH = {"blur": 0.5, "solarise": 0.3, "grey": 0.3}


def content(n=12, h=40, w=50, c=3, seed=0):
    made = np.random.default_rng(seed).integers(0, 256, (n, h, w, c), dtype=np.uint8)
    return Images(torch.from_numpy(made), torch.tensor([[h, w]], dtype=torch.int32).repeat(n, 1))


def test_a_view_is_what_torchvision_makes_of_its_parameters():
    given, index = content(), np.arange(12)
    views = ImageViews.fit(FACTS, size=32, **RICH)
    x, drawn = views.look(given, index, key=5)
    assert x.shape == (12, *views.shape) and x.dtype == torch.float32
    apply = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)
    for i in range(12):
        image = given.pixels[i].permute(2, 0, 1).float() / 255
        box = (drawn["box"][i] * torch.tensor([40, 50, 40, 50])).round().int().tolist()
        image = F.resized_crop(image, *box, [32, 32], antialias=True)
        image = F.horizontal_flip(image) if drawn["flip"][i] else image
        for operation in drawn["order"][i].tolist():
            image = apply[operation](image, drawn["factors"][i, operation].item())
        image = F.rgb_to_grayscale(image, 3) if drawn["grey"][i] else image
        image = F.gaussian_blur(image, [3, 3], [drawn["sigma"][i].item()] * 2) if drawn["sigma"][i] else image
        image = F.solarize(image, 0.5) if drawn["solarise"][i] else image
        # solarising tears apart what rounding put on two sides of the threshold: leave such pixels out
        clear = (image - 0.5).abs() > 1e-5
        torch.testing.assert_close(x[i][clear], F.normalize(image, FACTS["mean"], FACTS["std"])[clear], rtol=0, atol=2e-4)
    assert all(0 < drawn[name].bool().sum() < 12 for name in ("flip", "grey", "sigma", "solarise"))


def test_draws_are_distributed_as_torchvisions():
    n = 4000
    given = Images(torch.zeros(n, 4, 4, 3, dtype=torch.uint8), torch.full((n, 2), 4))
    _, drawn = ImageViews.fit(FACTS, size=4, jitter=1.0, **RICH).look(given, np.arange(n), key=0)
    torch.manual_seed(0)
    jitter = v2.ColorJitter(0.4, 0.4, 0.4, 0.1)
    theirs = [jitter.make_params([]) for _ in range(n)]
    for operation, name in enumerate(("brightness", "contrast", "saturation", "hue")):
        assert ks_2samp(drawn["factors"][:, operation].numpy(), [p[f"{name}_factor"] for p in theirs]).pvalue > 1e-3
    orders, counts = drawn["order"].unique(dim=0, return_counts=True)
    assert len(orders) == 24 and (counts - n / 24).abs().max() < 5 * (n / 24) ** 0.5
    for name, probability in (("flip", 0.5), ("grey", 0.3), ("sigma", 0.5), ("solarise", 0.3)):
        assert abs(drawn[name].bool().float().mean().item() - probability) < 4 * (probability * (1 - probability) / n) ** 0.5
    sigma = drawn["sigma"][drawn["sigma"] > 0].numpy()
    assert kstest(sigma, "uniform", (0.1, 1.9)).pvalue > 1e-3


def test_jitter_leaves_one_in_five_alone():
    n = 2000
    given = Images(torch.zeros(n, 4, 4, 3, dtype=torch.uint8), torch.full((n, 2), 4))
    _, drawn = ImageViews.fit(FACTS, size=4).look(given, np.arange(n), key=0)
    alone = (drawn["factors"] == torch.tensor([1.0, 1.0, 1.0, 0.0])).all(1)
    assert abs(alone.float().mean().item() - 0.2) < 0.04


def test_a_view_depends_on_its_sample_alone():
    given, index = content(), np.arange(100, 112)
    views = ImageViews.fit(FACTS, **RICH)
    whole, drawn = views.look(given, index, key=3)
    order = np.array([7, 2, 11])
    some, again = views.look(Images(given.pixels[order], given.sizes[order]), index[order], key=3)
    assert torch.equal(some, whole[order])
    for name in drawn:
        assert torch.equal(again[name], drawn[name][order])
    assert not torch.allclose(views.look(given, index, key=4)[0], whole)
    assert not torch.allclose(views.look(given, index + 1, key=3)[0], whole)


@pytest.mark.parametrize("role", ["global", "local", "masked", "plain"])
def test_padding_changes_nothing(role):
    small, tall = content(1, 20, 35, seed=1), content(1, 60, 21, seed=2)
    canvas = torch.full((2, 64, 40, 3), 255, dtype=torch.uint8)
    canvas[0, :20, :35], canvas[1, :60, :21] = small.pixels[0], tall.pixels[0]
    padded = Images(canvas, torch.cat((small.sizes, tall.sizes)))
    views = ImageViews.fit(FACTS, **RICH)
    together, _ = views.look(padded, np.array([4, 9]), 1, role)
    for i, alone in enumerate((small, tall)):
        torch.testing.assert_close(
            views.look(alone, np.array([4, 9])[i : i + 1], 1, role)[0][0], together[i], rtol=0, atol=1e-5
        )


def test_plain_is_the_resized_central_square():
    given = content(3, 40, 51)
    x, drawn = ImageViews.fit(FACTS).look(given, np.arange(3), 0, "plain")
    square = F.center_crop(given.pixels.permute(0, 3, 1, 2).float() / 255, [40, 40])
    torch.testing.assert_close(x, F.normalize(F.resize(square, [24, 24]), FACTS["mean"], FACTS["std"]), rtol=0, atol=2e-4)
    assert set(drawn) == {"box"}


def test_one_channel_and_local_views():
    facts = {"size": 28, "mean": [0.1], "std": [0.3]}
    views = ImageViews.fit(facts)
    assert (views.saturation, views.hue, views.grey, views.shape) == (0, 0, 0, (1, 28, 28))
    x, _ = views.look(content(4, 28, 28, 1), np.arange(4), 0)
    assert x.shape == (4, 1, 28, 28) and x.isfinite().all()
    x, drawn = views.look(content(4, 28, 28, 1), np.arange(4), 0, "local", local_size=12, local_crop=(0.1, 0.2))
    assert x.shape == (4, 1, 12, 12) and (drawn["box"][:, 2] * drawn["box"][:, 3] < 0.25).all()


@pytest.mark.parametrize("block", [(0, 0), (0.1, 0.4)])
@pytest.mark.parametrize(("patch", "ratio", "t", "hidden"), [(0, 0.75, 64, 48), (8, 0.75, 9, 7), (2, 0.5, 144, 72)])
def test_a_masked_view_is_a_global_one_with_a_mask(block, patch, ratio, t, hidden):
    given, index = content(), np.arange(100, 112)
    views = ImageViews.fit(FACTS, mask_patch=patch, mask_ratio=ratio, mask_block=block, **RICH)
    x, drawn = views.look(given, index, 5, "masked")
    plain, same = views.look(given, index, 5)
    assert torch.equal(x, plain) and all(torch.equal(drawn[name], same[name]) for name in same)
    mask, keep = drawn["mask"], drawn["keep"]
    assert mask.shape == (12, t) and mask.dtype == torch.bool and (mask.sum(1) == hidden).all()
    assert keep.dtype == torch.int64 and keep.tolist() == [(~row).nonzero()[:, 0].tolist() for row in mask]
    some = np.array([7, 2, 11])  # a sample's mask is its own, in whatever batch
    again = views.look(Images(given.pixels[some], given.sizes[some]), index[some], 5, "masked")[1]
    assert torch.equal(again["mask"], mask[some])
    assert not torch.equal(views.look(given, index, 6, "masked")[1]["mask"], mask)
    assert len({tuple(row) for row in mask.tolist()}) > 8


def test_a_mask_has_nothing_to_do_with_the_crop():
    n = 4000
    given = Images(torch.zeros(n, 4, 4, 3, dtype=torch.uint8), torch.full((n, 2), 4))
    drawn = ImageViews.fit(FACTS, size=8).look(given, np.arange(n), 0, "masked")[1]
    both = torch.cat((drawn["mask"].float(), drawn["box"], drawn["flip"].float()[:, None]), 1)
    between = torch.corrcoef(both.T)[:64, 64:]
    assert between.abs().max() < 5 / n**0.5


def test_defaults_follow_the_size():
    small, large = ImageViews.fit(FACTS), ImageViews.fit({**FACTS, "size": 224})
    assert (small.crop, small.blur, small.brightness, small.hue, small.local_size) == ((0.2, 1.0), 0.0, 0.4, 0.1, 8)
    assert (large.crop, large.blur, large.brightness, large.hue, large.local_size) == ((0.08, 1.0), 0.5, 0.8, 0.2, 96)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"brightnes": 1}, "did you mean 'brightness'"),
        ({"flip": 1.5}, "probability"),
        ({"crop": (0.5, 0.2)}, "smaller first"),
        ({"within": (0.0, 0.5, 1.0, 0.5)}, "top, left, bottom and right"),
        ({"hue": 0.7}, "0.5"),
        ({"size": 1}, "at least 2"),
        ({"std": (0.0, 1, 1)}, "above 0"),
        ({"mask_ratio": 1.5}, "mask_ratio is 1.5; give a probability"),
        ({"mask_patch": -1}, "mask_patch is -1"),
        ({"mask_block": (0.4, 0.1)}, "the smaller first"),
    ],
)
def test_mistakes_are_named(wrong, says):
    with pytest.raises(TacitError, match=says):
        ImageViews.fit(FACTS, **wrong)
    with pytest.raises(TacitError, match="channels"):
        ImageViews.fit(FACTS).look(content(2, c=1), np.arange(2), 0)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"mask_patch": 5}, "24 × 24 pixels cannot be cut into patches of 5 × 5; give a --mask-patch"),
        ({"mask_patch": 48}, "24 × 24 pixels cannot be cut into patches of 48 × 48"),
        ({"size": 31}, "31 × 31 pixels cannot be cut evenly"),
        ({"mask_ratio": 0.001}, "hides 0 of 64 patches"),
        ({"mask_ratio": 1}, "hides 64 of 64 patches"),
    ],
)
def test_masks_that_cannot_be_are_named(wrong, says):
    with pytest.raises(TacitError, match=says):
        ImageViews.fit(FACTS, **wrong).look(content(2), np.arange(2), 0, "masked")


def test_an_empty_batch_has_no_views():
    x, drawn = ImageViews.fit(FACTS, **RICH).look(content(0), np.arange(0), 0, "masked")
    assert x.shape == (0, 3, 24, 24) and drawn["mask"].shape == (0, 64) and drawn["keep"].shape == (0, 16)
    x, drawn = ImageViews.fit(FACTS, **RICH).look(content(0), np.arange(0), 0)
    assert x.shape == (0, 3, 24, 24) and drawn["box"].shape == (0, 4)


@pytest.mark.gpu
def test_a_gpu_sees_the_same():
    given, views = content(), ImageViews.fit(FACTS, **(RICH | {"solarise": 0.0}))
    here, drawn = views.look(given, np.arange(12), 0)
    there, again = views.look(Images(given.pixels.cuda(), given.sizes.cuda()), np.arange(12), 0)
    torch.testing.assert_close(there.cpu(), here, rtol=0, atol=1e-4)
    assert all(torch.equal(again[name].cpu(), drawn[name]) for name in drawn)
