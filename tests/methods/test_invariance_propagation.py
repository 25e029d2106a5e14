"""Invariance propagation against WangFeng18/InvariancePropagation@cad924e.

The numbers are what its InvariancePropagationLoss and MemoryBank_v1 (objective.py) gave on these tensors on current torch: a
bank of 20, 2 neighbours, 3 steps, the 5 hardest, 7 in the background, temperature 0.2.
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.positives.invariance_propagation import InvariancePropagation
from tests.methods.fixed import D, Identity, N, wave

M = 20
STEPS = [  # instance, invariance, norm of the gradient of the first and 0.6 times the second, its fourth row
    (5.508289, 3.735686, 1.237942, [-0.039347, 0.019982, -0.082342, -0.153981, -0.018075, 0.322887]),
    (4.116035, 3.182097, 1.283759, [-0.011202, 0.05082, 0.044713, 0.025179, 0.046378, 0.036018]),
    (4.306334, 3.653816, 1.3787, [-0.378518, -0.309339, -0.333702, -0.249432, 0.061737, 0.117414]),
    (4.041865, 4.206585, 1.169096, [-0.122864, -0.027816, -0.125621, -0.219531, -0.084017, -0.271187]),
]
NEAR = [
    [3, 13], [8, 2], [3, 5], [11, 13], [19, 9], [11, 9], [15, 18], [11, 5], [0, 3], [10, 12],
    [8, 2], [15, 8], [14, 16], [17, 8], [9, 6], [11, 5], [11, 5], [9, 6], [16, 6], [9, 14],
]  # fmt: skip
REACHED = [11, 13, 15, 8, 17, 9, 18, 16, 0, 3, 9, 6, 10, 12]  # from the third sample of the last batch, before it was seen
BANK, ENTRY = 2.015966, [0.603831, -0.26617, -0.66439, -0.229611, 0.024112, -0.264244]


def made(**options):
    method = InvariancePropagation(Identity(), dim=D, **{"neighbours": 2, "hardest": 5, "background": 7, **options})
    method.projector = nn.Identity()
    method.prepare(Facts("vector", M, (D,)))
    method.bank.features.copy_(nn.functional.normalize(wave(M, D, turn=0.5)))
    method.progress = 0.5
    return method


def batch(step):
    index = torch.tensor([(3 * i + 5 * step) % M for i in range(N)])
    return Batch([wave(N, D, turn=0.9 + 0.3 * step).requires_grad_()], index)


def test_terms_gradients_graph_and_bank_are_the_official():
    method = made()
    for step, (instance, invariance, norm, row) in enumerate(STEPS):
        looks = batch(step)
        reached = method.reached(looks.index)
        terms = method.step(looks)
        second, weight = terms["invariance"]
        (terms["instance"] + weight * second).backward()
        gradient = looks.views[0].grad
        assert (terms["instance"].item(), second.item(), weight) == pytest.approx((instance, invariance, 0.6), rel=1e-5)
        assert float(gradient.norm()) == pytest.approx(norm, rel=1e-4)
        torch.testing.assert_close(gradient[3], torch.tensor(row), rtol=1e-3, atol=1e-5)
        method.after_step(looks)
    assert [sorted(row) for row in method.near.tolist()] == [sorted(row) for row in NEAR]
    assert sorted(reached[2].tolist()) == sorted(REACHED)
    assert float(method.bank.features.sum()) == pytest.approx(BANK, abs=1e-4)
    torch.testing.assert_close(method.bank.features[5], torch.tensor(ENTRY), rtol=1e-4, atol=1e-5)


def test_until_its_start_propagation_weighs_nothing():
    method = made(start=0.3)
    for progress, weight in ((0.0, 0.0), (0.3, 0.0), (0.31, 0.6)):
        method.progress = progress
        assert method.step(batch(0))["invariance"][1] == weight


def test_what_is_reached_are_all_walks_up_to_so_many_steps():
    method = made(jumps=3)
    method.near.copy_(torch.stack([(torch.arange(M) + 1) % M, (torch.arange(M) + 3) % M], 1))
    steps = [{1, 3}, {2, 4, 6}, {3, 5, 7, 9}]
    found = method.reached(torch.tensor([0]))[0].tolist()
    assert len(found) == 2 + 4 + 8 and set(found) == set().union(*steps)


def test_nobody_is_its_own_neighbour():
    method, looks = made(), batch(0)
    with torch.no_grad():
        method.bank.features[looks.index] = nn.functional.normalize(looks.views[0])
    method.step(looks)
    assert not (looks.kept["near"] == looks.index[:, None]).any()


@pytest.mark.parametrize("wrong", [{"hardest": 0}, {"weight": -1.0}, {"start": 2.0}, {"inertia": -0.1}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        InvariancePropagation(Identity(), **wrong)


def test_fewer_samples_than_neighbours_are_refused():
    with pytest.raises(TacitError, match="--neighbours"):
        InvariancePropagation(Identity(), neighbours=3).prepare(Facts("vector", 3, (D,)))
