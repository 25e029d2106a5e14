"""Groups of points and distances between clouds."""

import torch

from tacit.numerics.points import chamfer, farthest, grouped, neighbours, taken


def test_far_points_by_hand():
    points = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [10, 0, 0], [11, 0, 0]]])
    assert farthest(points, 3).tolist() == [[4, 0, 2]]


def test_they_do_not_depend_on_the_order():
    torch.manual_seed(0)
    points, order = torch.randn(3, 50, 3), torch.randperm(50)
    torch.testing.assert_close(taken(points, farthest(points, 8)), taken(points[:, order], farthest(points[:, order], 8)))


def test_neighbours_are_the_nearest():
    torch.manual_seed(0)
    points = torch.randn(2, 30, 3)
    index = neighbours(points[:, :4], points, 5)
    apart = (points[:, :4, None] - points[:, None]).square().sum(3)
    torch.testing.assert_close(index, apart.argsort(2)[:, :, :5])


def test_groups_are_around_their_centres():
    torch.manual_seed(0)
    points = torch.randn(2, 40, 3)
    groups = grouped(points, 6, 5)
    assert groups.points.shape == (2, 6, 5, 3) and groups.centres.shape == (2, 6, 3)
    assert (groups.points[:, :, 0] == 0).all()  # the nearest to a centre is itself


def test_chamfer_by_hand():
    first, second = torch.tensor([[0.0, 0, 0], [1, 0, 0]]), torch.tensor([[0.0, 0, 0], [0, 2, 0], [1, 0, 0]])
    torch.testing.assert_close(chamfer(first, second), torch.tensor(0 + 4 / 3))
    assert chamfer(first[None], first[None].flip(1)).tolist() == [0.0]
