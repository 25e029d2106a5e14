"""Cells of maps against loops over their definitions."""

import pytest
import torch
from torch.nn.functional import cosine_similarity

from tacit.objectives.dense.cells import agreement, near, propagated


def drawn(*boxes, flip=False):
    return {"box": torch.tensor(boxes), "flip": torch.full((len(boxes),), flip)}


def naive(first, second, high, wide, reach):
    """Cell by cell, from the corners of the crops."""
    found = torch.zeros(len(first["box"]), high * wide, high * wide, dtype=torch.bool)
    for n in range(len(found)):
        middles, sides = [], []
        for view in (first, second):
            top, left, height, width = view["box"][n].tolist()
            columns = range(wide) if not view["flip"][n] else reversed(range(wide))
            columns = list(columns)
            middles.append(
                [(top + (i + 0.5) * height / high, left + (j + 0.5) * width / wide) for i in range(high) for j in columns]
            )
            sides.append(((height / high) ** 2 + (width / wide) ** 2) ** 0.5)
        for a, (y, x) in enumerate(middles[0]):
            for b, (v, u) in enumerate(middles[1]):
                found[n, a, b] = ((y - v) ** 2 + (x - u) ** 2) ** 0.5 < reach * max(sides)
    return found


@pytest.mark.parametrize("flips", [(False, False), (True, False), (True, True)])
def test_places_that_are_near_are_those_of_the_loop(flips):
    generator = torch.Generator().manual_seed(0)
    draws = torch.rand(2, 6, 4, generator=generator)
    boxes = torch.cat([draws[..., :2] * 0.4, 0.3 + draws[..., 2:] * 0.3], 2)
    views = [{"box": box, "flip": torch.full((6,), flip)} for box, flip in zip(boxes, flips)]
    found = near(*views, 3, 4, 0.7)
    assert torch.equal(found, naive(*views, 3, 4, 0.7)) and 0 < int(found.sum()) < found.numel()


def test_equal_crops_match_cell_by_cell_and_mirrored_ones_backwards():
    here = drawn([0.1, 0.2, 0.5, 0.5])
    assert torch.equal(near(here, here, 2, 2, 0.5)[0], torch.eye(4, dtype=torch.bool))
    mirrored = near(here, drawn([0.1, 0.2, 0.5, 0.5], flip=True), 1, 3, 0.3)[0]
    assert torch.equal(mirrored, torch.eye(3, dtype=torch.bool).flip(1))


def test_crops_that_do_not_meet_have_no_pairs_and_count_as_nothing():
    pairs = near(drawn([0.0, 0.0, 0.3, 0.3]), drawn([0.6, 0.6, 0.3, 0.3]), 2, 2, 0.7)
    assert not bool(pairs.any())
    z = torch.randn(1, 2, 2, 3, generator=torch.Generator().manual_seed(0))
    assert float(agreement(z, z, pairs)) == 0.0


def test_agreement_is_the_mean_over_pairs_then_over_images():
    generator = torch.Generator().manual_seed(1)
    first, second = (torch.randn(3, 2, 2, 5, generator=generator, requires_grad=True) for _ in range(2))
    pairs = torch.rand(3, 4, 4, generator=generator) < 0.4
    each = []
    for a, b, pair in zip(first.flatten(1, 2), second.flatten(1, 2), pairs):
        each.append(torch.stack([cosine_similarity(a[i], b[j], dim=0) for i, j in pair.nonzero()]).mean())
    torch.testing.assert_close(agreement(first, second, pairs), torch.stack(each).mean())


def test_a_cell_becomes_the_sum_of_those_that_are_alike():
    generator = torch.Generator().manual_seed(2)
    z, values = (torch.randn(2, 2, 3, 4, generator=generator) for _ in range(2))
    rows, told = z.flatten(1, 2), values.flatten(1, 2)
    expected = torch.zeros_like(told)
    for n in range(2):
        for i in range(6):
            for j in range(6):
                weight = cosine_similarity(rows[n, i], rows[n, j], dim=0).clamp_min(0) ** 2
                expected[n, i] += weight * told[n, j] / told[n, j].norm()
    torch.testing.assert_close(propagated(z, values, 2.0), expected.view(values.shape))


def test_the_gradient_of_what_is_smoothed_is_that_of_the_numbers():
    generator = torch.Generator().manual_seed(3)
    z, values = (torch.randn(1, 2, 2, 3, generator=generator).double().requires_grad_() for _ in range(2))
    assert torch.autograd.gradcheck(lambda a, b: propagated(a, b, 2.0), (z, values), eps=1e-2, atol=5e-3)  # float32 within
