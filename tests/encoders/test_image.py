"""The native image encoders: shapes, values against naive computations, gradients everywhere, no state in evaluation."""

import math

import pytest
import torch
import torch.nn.functional as F

from tacit.encoders.image import SmallResNet, SmallViT
from tacit.errors import TacitError
from tacit.method import Facts
from tacit.parts.patches import cut


def facts(size: int, channels: int = 3) -> Facts:
    return Facts("image", 100, (channels, size, size))


def images(size: int, channels: int = 3, n: int = 4) -> torch.Tensor:
    return torch.randn(n, channels, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("make", [SmallResNet, SmallViT])
@pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 3), (64, 3)])
def test_width_and_maps_are_as_declared(make, size, channels):
    torch.manual_seed(0)
    encoder = make(facts(size, channels)).eval()
    x = images(size, channels)
    y, maps = encoder(x), encoder.maps(x)
    assert y.shape == (4, encoder.dim) and maps.shape[:2] == (4, encoder.dim)
    torch.testing.assert_close(y, maps.mean((2, 3)))
    assert y.isfinite().all() and y.std(0).mean() > 1e-3


@pytest.mark.parametrize("make", [SmallResNet, SmallViT])
def test_gradient_reaches_every_parameter(make):
    torch.manual_seed(0)
    encoder = make(facts(32))
    (encoder(images(32)) * torch.randn(4, encoder.dim)).sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 1e-6, name


@pytest.mark.parametrize("make", [SmallResNet, SmallViT])
def test_evaluation_changes_no_state(make):
    encoder = make(facts(32)).eval()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    x = images(32)
    first = encoder(x)
    encoder.maps(x)
    assert torch.equal(first, encoder(x))
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


@pytest.mark.parametrize("make", [SmallResNet, SmallViT])
def test_layout_does_not_matter_and_bf16_is_near(make):
    torch.manual_seed(0)
    encoder, x = make(facts(32)).eval(), images(32)
    plain = encoder(x)
    encoder, x = encoder.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    torch.testing.assert_close(encoder(x), plain, rtol=1e-4, atol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        half = encoder(x).float()
    assert F.cosine_similarity(half, plain).min() > 0.999


def test_resnet_blocks_are_those_of_the_paper():
    """One block by hand: relu(norm(conv(relu(norm(conv x)))) + shortcut x)."""
    torch.manual_seed(0)
    net = SmallResNet(facts(16), width=4, depth=(1, 1))
    block = net.blocks[1]
    x = torch.randn(3, 4, 8, 8)
    y = F.conv2d(x, block.conv1.weight, stride=2, padding=1)
    y = F.relu(F.batch_norm(y, None, None, training=True))
    y = F.batch_norm(F.conv2d(y, block.conv2.weight, padding=1), None, None, training=True)
    around = F.batch_norm(F.conv2d(x, block.shortcut[0].weight, stride=2), None, None, training=True)
    torch.testing.assert_close(block(x), F.relu(y + around))


@pytest.mark.parametrize("size", [5, 30, 97])
def test_resnet_takes_any_size(size):
    net = SmallResNet(facts(size), width=4).eval()
    side = math.ceil(size / 8)
    assert net.maps(images(size)).shape == (4, 16, side, side)


def test_all_tokens_kept_are_all_tokens():
    vit, x = SmallViT(facts(32)).eval(), images(32)
    everything = torch.arange(64).expand(4, -1)
    torch.testing.assert_close(vit.tokens(x, everything), vit.tokens(x))
    torch.testing.assert_close(vit(x), vit.tokens(x).mean(1))


def test_kept_tokens_know_nothing_of_the_dropped():
    torch.manual_seed(0)
    vit, x = SmallViT(facts(32)).eval(), images(32)
    keep = torch.stack([torch.randperm(64)[:9] for _ in range(4)])
    kept = vit.tokens(x, keep)
    # naively: embed every patch, add its position, throw the others away, run the blocks
    tokens = vit.embed(cut(x, 4)) + vit.positions
    tokens = torch.stack([row[chosen] for row, chosen in zip(tokens, keep)])
    for block in vit.blocks:
        tokens = block(tokens)
    torch.testing.assert_close(kept, vit.norm(tokens))
    # and what lies in the others does not matter, but what lies in these does
    other = x.clone()
    hidden = torch.ones(4, 64, dtype=torch.bool).scatter_(1, keep, False)
    for i in range(4):
        for position in hidden[i].nonzero().flatten().tolist():
            row, column = divmod(position, 8)
            other[i, :, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 99.0
    assert torch.equal(vit.tokens(other, keep), kept)
    assert not torch.allclose(vit.tokens(x, keep.flip(1)), kept)
    torch.testing.assert_close(vit.tokens(x, keep.flip(1)).flip(1), kept, rtol=1e-4, atol=1e-5)


def test_small_crops_pass_the_same_vit():
    vit = SmallViT(facts(32)).eval()
    assert vit.tokens(images(16)).shape == (4, 16, 192)
    assert vit.maps(images(16)).shape == (4, 192, 4, 4)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: SmallViT(facts(31)), "evenly"),
        (lambda: SmallViT(facts(32), patch=5), "32 × 32 .* 5 × 5"),
        (lambda: SmallViT(facts(3), patch=4), "3 × 3"),
        (lambda: SmallViT(facts(32))(images(30)), "30 × 30"),
        (lambda: SmallViT(facts(32), width=50, heads=3), "multiple"),
        (lambda: SmallResNet(Facts("vector", 9, (7,))), r"\(7,\)"),
        (lambda: SmallResNet(facts(32), depth=()), "depth"),
    ],
)
def test_mistakes_are_named(make, sentence):
    with pytest.raises(TacitError, match=sentence):
        make()
