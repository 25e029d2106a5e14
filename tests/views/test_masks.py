"""Which patches are hidden: exactly as many as wanted, at random, alone or in blocks, each image's its own."""

import numpy as np
import pytest
import torch

from tacit.errors import TacitError
from tacit.numerics import counter
from tacit.views.masks import ATTEMPTS, blocks, fitting_patch, grid_of, scattered


def draws(n, columns, key=0):
    return torch.from_numpy(counter.uniform(key, np.arange(n), columns))


def block_masks(n, grid, hidden, area):
    return blocks(draws(n, 4 * ATTEMPTS + grid * grid), grid, hidden, area).view(n, grid, grid)


@pytest.mark.parametrize("hidden", [0, 1, 48, 64])
def test_scattered_hides_the_largest_draws(hidden):
    given = draws(50, 64)
    mask = scattered(given, hidden)
    assert mask.dtype == torch.bool
    for row, chosen in zip(given.tolist(), mask.tolist()):
        largest = sorted(range(64), key=lambda j: row[j])[64 - hidden :]
        assert {j for j in range(64) if chosen[j]} == set(largest)


def test_every_patch_is_hidden_equally_often():
    n = 4000
    rate = scattered(draws(n, 64), 48).float().mean(0)
    assert (rate - 0.75).abs().max() < 4.5 * (0.75 * 0.25 / n) ** 0.5


@pytest.mark.parametrize(("grid", "hidden"), [(8, 48), (8, 26), (14, 78), (14, 147), (4, 1), (4, 15), (2, 2)])
@pytest.mark.parametrize("area", [(0.08, 0.4), (0.15, 0.2), (0.01, 1.0)])
def test_blocks_hide_exactly_as_many_as_wanted(grid, hidden, area):
    assert (block_masks(300, grid, hidden, area).sum((1, 2)) == hidden).all()


def test_blocks_against_a_loop():
    """Image by image and patch by patch, what algorithm 1 says, up to the block that hides too many."""
    n, grid, hidden, area = 40, 8, 30, (0.08, 0.4)
    t = grid * grid
    given = draws(n, 4 * ATTEMPTS + t)
    found = blocks(given, grid, hidden, area)
    for row, mask in zip(given.numpy(), found.view(n, grid, grid).numpy()):
        covered, last = set(), set()
        for number in range(ATTEMPTS):
            missing = hidden - len(covered | last)
            if missing <= 0:
                break
            covered |= last
            size, shape, down, across = row[4 * number : 4 * number + 4]
            largest = min(area[1] * t, missing)
            size = min(area[0] * t + max(largest - area[0] * t, 0) * size, missing)
            aspect = np.exp(np.log(1 / 0.3) * (2 * shape - 1))
            height, width = (min(max(round(float(np.sqrt(size * by))), 1), grid) for by in (aspect, 1 / aspect))
            top, left = int(down * (grid - height + 1)), int(across * (grid - width + 1))
            last = {(i, j) for i in range(top, top + height) for j in range(left, left + width)}
        if len(covered | last) >= hidden:
            ours = set(zip(*(axis.tolist() for axis in mask.nonzero())))
            assert covered <= ours <= covered | last


def test_blocks_are_of_one_piece_and_scattered_patches_are_not():
    """How many neighbours of a hidden patch are hidden too: at random as many as the rate, in blocks many more."""

    def together(mask):
        both = (mask[:, 1:] & mask[:, :-1]).sum() + (mask[:, :, 1:] & mask[:, :, :-1]).sum()
        return float(both) / float(mask[:, 1:].sum() + mask[:, :, 1:].sum())

    rate = 0.4
    alone = scattered(draws(500, 196), round(rate * 196)).view(-1, 14, 14)
    assert together(alone) == pytest.approx(rate, abs=0.02)
    assert together(block_masks(500, 14, round(rate * 196), (16 / 196, 0.4))) > 0.75


def test_a_single_block_has_the_area_and_the_shape_that_were_asked_for():
    """One attempt suffices where a block may be as large as what is to be hidden."""
    grid, area = 20, (0.2, 0.2)
    mask = block_masks(400, grid, 80, area)
    rows, columns = mask.any(2).sum(1), mask.any(1).sum(1)
    whole = rows * columns == 80  # those that rounding left as one full rectangle
    assert whole.float().mean() > 0.1
    ratio = rows[whole] / columns[whole]
    assert ratio.min() >= 0.3 * 0.8 and ratio.max() <= 1 / 0.3 / 0.8 and ratio.min() < 0.5 and ratio.max() > 2


def test_a_mask_depends_on_its_own_draws_alone():
    given = draws(30, 4 * ATTEMPTS + 64)
    whole = blocks(given, 8, 40, (0.1, 0.4))
    order = torch.tensor([21, 3, 4])
    assert torch.equal(blocks(given[order], 8, 40, (0.1, 0.4)), whole[order])
    assert len({tuple(row) for row in whole.tolist()}) > 25
    assert blocks(given[:0], 8, 40, (0.1, 0.4)).shape == (0, 64)


@pytest.mark.parametrize(("size", "patch"), [(28, 4), (32, 4), (64, 8), (96, 12), (224, 28), (40, 5)])
def test_patches_that_fit(size, patch):
    assert fitting_patch(size, size) == patch
    assert grid_of(size, patch) == size // patch


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: fitting_patch(31, 31), "31 × 31 pixels cannot be cut evenly"),
        (lambda: fitting_patch(3, 3), "3 × 3"),
        (lambda: grid_of(32, 5), "32 × 32 pixels cannot be cut into patches of 5 × 5; give a --mask-patch"),
        (lambda: grid_of(4, 8), "4 × 4 pixels cannot be cut into patches of 8 × 8"),
        (lambda: grid_of(4, 0), "0 × 0"),
    ],
)
def test_mistakes_are_named(call, sentence):
    with pytest.raises(TacitError, match=sentence):
        call()
