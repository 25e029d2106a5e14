"""Plans that do not fit are refused with a sentence; those that do lie on the CPU."""

import pytest
import torch

from tacit.method import Plan
from tacit.training.plans import settled
from tests.training.numbers import numbers

WRONG = [
    (Plan(batches=[torch.tensor([0, 5])]), "names position 0 to 5 of 0 to 4"),
    (Plan(batches=[torch.tensor([-1])]), "names position -1"),
    (Plan(batches=[torch.tensor([0.5])]), "whole positions"),
    (Plan(partners=torch.arange(5)), r"takes 5 × k positions, one row per sample, not \(5,\)"),
    (Plan(partners=torch.zeros(4, 2, dtype=torch.long)), "5 × k"),
    (Plan(partners=torch.zeros(5, 0, dtype=torch.long)), "5 × k"),
    (Plan(partners=torch.full((5, 1), 7)), "position 7 to 7"),
    (Plan(weights=torch.ones(4)), "takes 5 numbers"),
    (Plan(weights=torch.zeros(5)), "not all of them 0"),
    (Plan(weights=-torch.ones(5)), "0 or more"),
    (Plan(weights=torch.full((5,), float("nan"))), "finite"),
]


@pytest.mark.parametrize(("plan", "sentence"), WRONG)
def test_what_does_not_fit(plan, sentence):
    with pytest.raises(ValueError, match=sentence):
        settled(plan, 5)


def test_what_fits_is_kept():
    plan = settled(Plan([torch.tensor([4, 0], dtype=torch.int32)], torch.arange(10).view(5, 2) % 5, torch.arange(5.0)), 5)
    assert plan.batches[0].tolist() == [4, 0] and plan.batches[0].dtype == torch.int64
    assert plan.partners.tolist() == (torch.arange(10).view(5, 2) % 5).tolist()
    assert plan.weights.tolist() == [0, 1, 2, 3, 4] and plan.weights.device.type == "cpu"


def test_a_plan_that_draws_samples_twice_shows_them_anew():
    stream = numbers(50, batch=4)
    once, twice = torch.arange(8).split(4), [torch.arange(4), torch.arange(4)]

    def keys(plan):
        return [stream.load(index, 0, number, plan).key for number, index in enumerate(stream.order(0, plan))]

    first, second = keys(Plan(batches=twice))
    assert first != second
    assert keys(Plan(batches=list(once))) == [first, first]
    assert keys(Plan(batches=[])) == [] and not Plan(batches=[]).repeats and Plan(weights=torch.ones(50)).repeats
