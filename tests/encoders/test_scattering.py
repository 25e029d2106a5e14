"""Scattering against kymatio 0.3.0: the numbers are of its own Scattering2D on sines of 0.37 (i + 1), max_order 2.

It has 3.1415 for π where filters are scaled, which is 3e-5 of each.
"""

import pytest
import torch

from tacit import encoders
from tacit.encoders.scattering import Scattering, ScatteringNet
from tacit.errors import TacitError
from tacit.method import Facts
from tests.methods.fixed import wave

FOUR = [
    0.677246,
    0.002377,
    0.053763,
    0.087583,
    0.054029,
    0.009081,
    0.117712,
    0.212833,
    0.119761,
    0.002416,
    0.003624,
    0.002255,
    0.000763,
    0.00173,
    0.00567,
    0.013239,
    0.005302,
    0.001663,
    0.00847,
    0.018572,
    0.007499,
    0.000558,
    0.004476,
    0.012392,
    0.005208,
]  # of the first image at (1, 2), of two octaves and four directions
SQUARES = 11.764505  # of all coefficients of both images
THREE = [
    -0.399729,
    0.065979,
    0.073783,
    0.141212,
    0.140356,
    0.297941,
    0.210995,
    0.008741,
    0.008463,
    0.009803,
    0.003754,
    0.011399,
    0.010847,
    0.011672,
    0.007242,
    0.015327,
    0.00669,
    0.018323,
    0.011397,
]  # at (1, 0), of three octaves and two directions
IMAGES = wave(2, 1, 16, 16, turn=0.37)


def test_coefficients_are_kymatios():
    found = Scattering(16, 16, 2, 4)(IMAGES)
    assert found.shape == (2, 1, 25, 4, 4) and found[0, 0, :, 1, 2].tolist() == pytest.approx(FOUR, rel=1e-4, abs=1e-5)
    assert float(found.square().sum()) == pytest.approx(SQUARES, rel=1e-4)
    found = Scattering(16, 16, 3, 2)(IMAGES[:1])
    assert found.shape == (1, 1, 19, 2, 2) and found[0, 0, :, 1, 0].tolist() == pytest.approx(THREE, rel=1e-4, abs=1e-5)


def test_a_shift_by_a_pixel_changes_coefficients_less_than_pixels():
    images = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    both = Scattering(32, 32, 2, 4)(torch.cat([images, images.roll(1, 3)]))[..., 1:-1, 1:-1].chunk(2)
    pixels = (images - images.roll(1, 3)).norm() / images.norm()
    assert float((both[0] - both[1]).norm() / both[0].norm()) < 0.5 * float(pixels)


def test_what_is_learned_lies_above_the_wavelets():
    facts = Facts("image", 8, (3, 12, 20))
    net = encoders.factory("scattering", facts, 0, directions=2, stem=4, width=8, blocks=2)()
    assert isinstance(net, ScatteringNet) and net(torch.rand(2, 3, 12, 20)).shape == (2, net.dim) and net.dim == 128
    assert not [name for name in net.state_dict() if name.startswith("scattering")]
    assert net.stem[0].weight.shape == (4, 3 * 9, 3, 3)


@pytest.mark.parametrize(("how", "why"), [({"octaves": 4}, "too small for 4 octaves"), ({"blocks": 0}, "blocks 0")])
def test_what_cannot_be_is_refused(how, why):
    with pytest.raises(TacitError, match=why):
        ScatteringNet(Facts("image", 8, (1, 16, 16)), **how)
