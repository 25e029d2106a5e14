"""Cutting, choosing and placing patches, each against a loop."""

import math

import torch

from tacit.parts.patches import cut, sincos, take


def test_patches_are_cut_row_by_row():
    x = torch.randn(2, 3, 8, 8)
    patches = cut(x, 4)
    for i in range(2):
        for row in range(2):
            for column in range(2):
                piece = x[i, :, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
                assert torch.equal(patches[i, 2 * row + column], piece.flatten())


def test_take_against_a_loop():
    rows, keep = torch.randn(2, 5, 3), torch.tensor([[4, 0], [1, 1]])
    for i in range(2):
        for j in range(2):
            assert torch.equal(take(rows, keep)[i, j], rows[i, keep[i, j]])


def test_positions_against_a_loop():
    found = sincos((2, 3), (2, 3), 8)
    for row in range(2):
        for column in range(3):
            rates = (1.0, 10000.0**-0.5)
            x = [column * rate for rate in rates]
            y = [row * rate for rate in rates]
            naive = [*map(math.sin, x), *map(math.cos, x), *map(math.sin, y), *map(math.cos, y)]
            torch.testing.assert_close(found[3 * row + column], torch.tensor(naive))


def test_positions_are_those_of_the_released_code():
    """facebookresearch/mae@efb2a80: the seventh of a grid of 4 × 4, at width 16."""
    theirs = [0.9092974066734314, 0.19866932928562164, 0.019998665899038315, 0.0019999986980110407]
    theirs += [-0.416146844625473, 0.9800665974617004, 0.9998000264167786, 0.9999979734420776]
    theirs += [0.8414709568023682, 0.0998334139585495, 0.009999833069741726, 0.0009999998146668077]
    theirs += [0.5403022766113281, 0.9950041770935059, 0.9999499917030334, 0.9999995231628418]
    torch.testing.assert_close(sincos((4, 4), (4, 4), 16)[6], torch.tensor(theirs))


def test_positions_of_a_smaller_grid_span_the_declared_one():
    """Two patches over a span of four lie at the middles of its halves: 0.5 and 2.5."""
    found = sincos((1, 2), (1, 4), 4)
    torch.testing.assert_close(found[:, 0], torch.tensor([0.5, 2.5]).sin())
