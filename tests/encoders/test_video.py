"""The encoders of videos: clips in, one vector each out."""

import pytest
import torch

from tacit.encoders.video import FrameResNet, SmallR3D
from tacit.errors import TacitError
from tacit.method import Facts

FACTS = Facts("video", 100, (3, 8, 16, 16))
ALL = [SmallR3D, FrameResNet]


def clips(n=4, t=8, side=16):
    return torch.randn(n, 3, t, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize(("t", "side"), [(8, 16), (1, 16), (5, 20)])
def test_clips_of_any_length_and_size(cls, t, side):
    encoder = cls(FACTS, width=8)
    assert encoder(clips(4, t, side)).shape == (4, encoder.dim)


@pytest.mark.parametrize("cls", ALL)
def test_gradient_reaches_every_parameter(cls):
    torch.manual_seed(0)
    encoder = cls(FACTS, width=8)
    (encoder(clips()) * torch.randn(4, encoder.dim)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in encoder.parameters())


def test_one_sees_the_order_of_frames_and_the_other_does_not():
    torch.manual_seed(0)
    x, order = clips(), torch.randperm(8)
    resnet, r3d = FrameResNet(FACTS, width=8).eval(), SmallR3D(FACTS, width=8).eval()
    torch.testing.assert_close(resnet(x), resnet(x[:, :, order]), atol=1e-5, rtol=1e-4)
    assert (r3d(x) - r3d(x[:, :, order])).abs().max() > 1e-3
    torch.testing.assert_close(resnet(x), torch.stack([resnet.each(x[:, :, i]) for i in range(8)]).mean(0))


@pytest.mark.parametrize("cls", ALL)
def test_mistakes_are_named(cls):
    with pytest.raises(TacitError, match="channels, frames, height, width"):
        cls(Facts("image", 100, (3, 16, 16)))
    with pytest.raises(TacitError, match="width 0"):
        cls(FACTS, width=0)
