"""The learning rate at known places."""

import math

import pytest

from tacit.method import Recipe
from tacit.training.schedules import base_rate, growth, rate

RECIPE = Recipe(lr=2.0, batch=1024, epochs=100)


@pytest.mark.parametrize(("scale", "expected"), [("none", 2.0), ("linear", 8.0), ("sqrt", 4.0)])
def test_growth_with_the_batch(scale, expected):
    assert base_rate(RECIPE.but(scale=scale)) == expected
    assert rate(RECIPE.but(scale=scale), 0.0) == expected


def test_warm_up_is_linear_and_reaches_the_rate():
    recipe = RECIPE.but(warmup=10)
    assert [rate(recipe, p) for p in (0, 0.025, 0.05, 0.1)] == pytest.approx([0, 0.5, 1, 2])


def test_cosine_after_warm_up():
    """As torch's CosineAnnealingLR over what warm-up leaves."""
    recipe = RECIPE.but(warmup=20)
    for step in range(81):
        assert rate(recipe, 0.2 + 0.01 * step) == pytest.approx(1 + math.cos(math.pi * step / 80), abs=1e-12)
    assert rate(RECIPE, 0.5) == pytest.approx(1)
    assert rate(RECIPE, 1.0) == pytest.approx(0, abs=1e-12)


def test_constant():
    assert {rate(RECIPE.but(schedule="constant"), p / 10) for p in range(11)} == {2.0}


def test_steps_of_a_tenth():
    recipe = RECIPE.but(schedule="step", milestones=(0.6, 0.8), warmup=10)
    places = (0.05, 0.1, 0.599, 0.6, 0.799, 0.8, 1.0)
    assert [rate(recipe, p) for p in places] == pytest.approx([1, 2, 2, 0.2, 0.2, 0.02, 0.02])


def test_warm_up_takes_at_most_half():
    recipe = Recipe(lr=1.0, warmup=10, epochs=2)
    assert rate(recipe, 0.25) == pytest.approx(0.5)
    assert rate(recipe, 0.5) == pytest.approx(1.0)


def test_cosine_ends_at_a_share_of_the_rate():
    recipe = RECIPE.but(final_lr=0.1)
    assert [rate(recipe, p) for p in (0, 0.5, 1)] == pytest.approx([2, 1.1, 0.2])


def test_weight_decay_grows_by_a_cosine():
    recipe = RECIPE.but(decay_growth=10)
    assert [growth(recipe, p) for p in (0, 0.5, 1)] == pytest.approx([1, 5.5, 10])
    assert {growth(RECIPE, p) for p in (0, 0.3, 1)} == {1.0}
