"""Blocks of pixels against a loop that lays one after another."""

import pytest
import torch

from tacit.parts.images.blocks import MOST, blocks


def naive(draws, share, side, largest=0.3):
    """Block by block and picture by picture."""
    longest = max(int(largest * side), 2)
    masks = torch.zeros(len(draws), side, side, dtype=torch.bool)
    for mask, blocks_of, wanted in zip(masks, draws.tolist(), share.tolist()):
        for down, across, height, width in blocks_of:
            if int(mask.sum()) >= wanted * side**2:
                break
            top, left = int(down * (side - 1)), int(across * (side - 1))
            mask[top : top + 1 + int(height * (longest - 1)), left : left + 1 + int(width * (longest - 1))] = True
    return masks


@pytest.mark.parametrize("side", [8, 16, 33])
def test_they_are_those_of_the_loop(side):
    generator = torch.Generator().manual_seed(side)
    draws, share = torch.rand(9, MOST, 4, generator=generator), torch.linspace(0.05, 0.7, 9)
    assert torch.equal(blocks(draws, share, side), naive(draws, share, side))


def test_as_much_is_covered_as_was_asked_for_and_hardly_more():
    draws, share = torch.rand(50, MOST, 4, generator=torch.Generator().manual_seed(0)), torch.linspace(0.2, 0.7, 50)
    found = blocks(draws, share, 32).float().mean((1, 2))
    assert bool((found >= share).all()) and bool((found < share + 0.07).all())


def test_nothing_is_covered_where_nothing_is_asked_for():
    draws = torch.rand(2, MOST, 4, generator=torch.Generator().manual_seed(1))
    assert not bool(blocks(draws, torch.zeros(2), 16).any())


def test_where_too_few_are_tried_all_of_them_lie_there():
    draws = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(2))
    assert torch.equal(blocks(draws, torch.ones(3), 32), naive(draws, torch.ones(3), 32))
