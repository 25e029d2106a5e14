"""Rotations are exact, and the probe reads what is there and nothing else."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from tacit.errors import TacitError
from tacit.evaluation.unlabelled.rotation import rotation_probe, rotations


def turned(n, seed, signal=1.0, d=12):
    """Features of four rotations: each image's own noise, and `signal` that tells the rotation."""
    g = torch.Generator().manual_seed(seed)
    own = 2 * torch.randn(n, 1, d, generator=g) + torch.randn(n, 4, d, generator=g)
    own[:, :, :4] += signal * 3 * torch.eye(4)
    return own


def test_rotations_are_exact_and_go_round():
    images = torch.arange(2 * 3 * 5 * 5).view(2, 3, 5, 5)
    found = rotations(images)
    assert found.shape == (2, 4, 3, 5, 5) and torch.equal(found[:, 0], images)
    for quarter in range(4):
        assert np.array_equal(found[1, quarter, 2].numpy(), np.rot90(images[1, 2].numpy(), quarter))
    assert torch.equal(rotations(found[:, 3])[:, 1], images)


def test_within_a_few_points_of_scikit_learn():
    x, y = turned(300, 0, 0.6), turned(200, 1, 0.6)
    number = rotation_probe(x, y)
    labels = np.tile(np.arange(4), 300)
    theirs = LogisticRegression(C=1 / (1200 * number.protocol["penalty"]), max_iter=1000)
    score = theirs.fit(x.flatten(0, 1).numpy(), labels).score(y.flatten(0, 1).numpy(), labels[:800])
    assert number.value == pytest.approx(score, abs=0.02)
    assert number.low < number.value < number.high and number.protocol["test"] == 200


def test_what_tells_nothing_is_at_chance_and_what_tells_all_is_right():
    none, everything = (
        rotation_probe(turned(400, 0, 0), turned(400, 1, 0)),
        rotation_probe(turned(50, 0, 50), turned(60, 1, 50)),
    )
    assert none.low < 0.25 < none.high
    assert everything.value == everything.high == 1 and 0.9 < everything.low < 1


def test_the_interval_is_over_images_not_rows():
    """Four equal rows per image of which each is wrong or right together would be four times too sure."""
    numbers = [rotation_probe(turned(200, 2 * seed, 0.3), turned(100, 2 * seed + 1, 0.3)) for seed in range(5)]
    truth = np.mean([rotation_probe(turned(200, 2 * seed, 0.3), turned(4000, 99, 0.3)).value for seed in range(5)])
    assert sum(n.low <= truth <= n.high for n in numbers) >= 4


def test_mistakes_and_what_cannot_be_measured():
    with pytest.raises(TacitError, match="square"):
        rotations(torch.zeros(2, 3, 4, 5))
    with pytest.raises(TacitError, match="four rotations"):
        rotation_probe(torch.zeros(20, 3, 5), turned(10, 0))
    with pytest.raises(TacitError, match="dimensions"):
        rotation_probe(turned(20, 0), turned(20, 0)[:, :, :3])
    few = rotation_probe(turned(3, 0), turned(3, 1))
    assert math.isnan(few.value) and "too few" in few.why
    broken = rotation_probe(turned(20, 0) / 0, turned(20, 1))
    assert math.isnan(broken.value) and "not finite" in broken.why
