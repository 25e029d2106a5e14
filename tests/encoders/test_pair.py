"""Two encoders for samples of two parts."""

import pytest
import torch

from tacit.encoders.image import SmallResNet, SmallViT
from tacit.encoders.pair import DualEncoder
from tacit.encoders.vector import MLPEncoder
from tacit.errors import TacitError
from tacit.method import Dual, Facts

IMAGE, ROW = {"kind": "image", "shape": [3, 32, 32]}, {"kind": "vector", "shape": [7]}
PAIR = Facts("pair", 9, (), {"first": IMAGE, "second": ROW})


def test_each_part_has_the_encoder_of_its_kind():
    both = DualEncoder(PAIR)
    assert isinstance(both, Dual)
    assert isinstance(both.first[0], SmallResNet) and isinstance(both.second, MLPEncoder)
    images, rows = torch.randn(4, 3, 32, 32), torch.randn(4, 7)
    both.eval()
    assert both.first(images).shape == both.second(rows).shape == (4, both.dim)
    assert torch.equal(both(images), both.first(images))


def test_unlike_widths_are_made_equal_and_like_ones_left():
    both = DualEncoder(Facts("pair", 9, (), {"first": IMAGE, "second": IMAGE}), second_encoder="small_vit")
    assert both.dim == 192 and isinstance(both.first, SmallResNet) and isinstance(both.second, SmallViT)
    both = DualEncoder(PAIR, first_encoder="small_vit").eval()
    assert both.dim == 256 and isinstance(both.first[0], SmallViT)
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(both.first(x), both.first[1](both.first[0](x)))
    assert both.first(x).shape == (2, 256)


def test_two_parts_of_one_kind_do_not_share_weights():
    torch.manual_seed(0)
    both = DualEncoder(Facts("pair", 9, (), {"first": ROW, "second": ROW}))
    (both.first(torch.randn(4, 7)) * torch.randn(4, both.dim)).sum().backward()
    assert all(p.grad is not None for p in both.first.parameters())
    assert all(p.grad is None for p in both.second.parameters())


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="two parts"):
        DualEncoder(Facts("vector", 9, (7,)))
    with pytest.raises(TacitError, match="did you mean 'small_vit'"):
        DualEncoder(PAIR, first_encoder="small_vti")
