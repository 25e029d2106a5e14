"""Pictures of clouds: points are where they are, the nearer the darker."""

import torch

from tacit.data.clouds.depth import depth


def test_points_are_drawn_and_padding_is_not():
    points = torch.tensor([[[0.0, 0, 0.9], [0, 0, -0.9], [0.9, 0, 0]]])
    both, one = depth(points, torch.tensor([3])), depth(points, torch.tensor([1]))
    assert both.shape == (1, 64, 64, 3) and both.dtype.name == "uint8"
    assert (one[0, :32] != 255).any() and (one[0, 32:] == 255).all() and (both[0, 32:] != 255).any()


def test_what_is_near_is_darker_and_hidden_is_grey():
    points = torch.tensor([[[0.0, -0.9, 0.4], [0, 0.9, -0.4]]])  # the first before the second
    picture = depth(points, torch.tensor([2]), hidden=None)
    drawn = picture[(picture != 255).any(-1)]
    assert drawn.sum(1).min() < 250 < drawn.sum(1).max()
    grey = depth(points, torch.tensor([2]), hidden=torch.tensor([[True, True]]))
    assert ((grey == (206, 206, 210)).all(-1) | (grey == 255).all(-1)).all()
