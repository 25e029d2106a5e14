"""Feature transformation against DTennant/CL-Visualizing-Feature-Transformation@c53d1be.

The numbers are what its RGBMoCo_dropmix_norm (memory/mem_moco.py) gave on these tensors on current torch, one draw of each kind
for the batch: Beta 0.3 for positives and 0.8 for negatives, a queue of 16 in the order ORDER, at temperature 0.2.
"""

import numpy as np
import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.contrast.feature_transform import FeatureTransform
from tacit.objectives.info_nce import info_nce
from tests.methods.fixed import D, Identity, N, wave

K = 16
ORDER = [(5 * i + 3) % K for i in range(K)]
# loss, norm of the gradient, its fourth row; mean of the positives' scores, mean and variance of the negatives'
BOTH = (4.417168, 1.571572, [-0.213256, -0.111851, 0.319224, 0.03931, -0.382541, 0.06752], 0.042115, 0.004251, 0.225558)
POSITIVES = (5.697094, 1.710271, [-0.21219, -0.093523, 0.320681, 0.023418, -0.379097, 0.131415], 0.042115, 0.004251, 0.510221)
NEGATIVES = (2.101206, 0.777398, [-0.109004, -0.049971, 0.171501, 0.019733, -0.197257, 0.052711], 0.461862, 0.003619, 0.166352)


class Drawn:
    """A generator whose draws are written down."""

    def beta(self, one: float, other: float) -> float:
        assert one == other
        return {2.0: 0.3, 1.6: 0.8}[one]

    def permutation(self, n: int) -> np.ndarray:
        return np.array(ORDER[:n])


def made(**options):
    method = FeatureTransform(Identity(), dim=D, queue=K, **options)
    method.projector = nn.Identity()
    method.queue.teacher.module = nn.Identity()
    method.queue.rows.copy_(nn.functional.normalize(wave(K, D, turn=0.5)))
    return method


def batch(key=0):
    query = wave(N, D, turn=0.9)
    return Batch([query.clone().requires_grad_(), query * 0.5 + wave(N, D, turn=1.7)], torch.arange(N), key=key)


@pytest.mark.parametrize(
    ("options", "expected"), [({}, BOTH), ({"interpolate": 0.0}, POSITIVES), ({"extrapolate": 0.0}, NEGATIVES)]
)
def test_loss_gradient_and_scores_are_the_official(options, expected, monkeypatch):
    monkeypatch.setattr(np.random, "default_rng", lambda key: Drawn())
    looks = batch()
    terms = made(**options).step(looks)
    loss, norm, row, *scores = expected
    terms["contrast"].backward()
    query = looks.views[0]
    assert terms["contrast"].item() == pytest.approx(loss, rel=1e-5)
    assert float(query.grad.norm()) == pytest.approx(norm, rel=1e-4)
    torch.testing.assert_close(query.grad[3], torch.tensor(row), rtol=1e-3, atol=1e-5)
    told = [terms[name] for name in ("positive_score", "negative_score", "negative_variance")]
    assert [score.item() for score, _ in told] == pytest.approx(scores, abs=1e-5)
    assert [weight for _, weight in told] == [0, 0, 0]


def test_without_either_it_is_moco():
    method, looks = made(extrapolate=0.0, interpolate=0.0), batch()
    expected = info_nce(looks.views[0], looks.views[1], method.queue.rows, 0.2)
    assert method.step(looks)["contrast"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_draws_are_a_batchs_own_and_the_queue_stays():
    method = made()
    before = method.queue.rows.clone()
    losses = [method.step(batch(key))["contrast"].item() for key in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]
    assert torch.equal(method.queue.rows, before)


def test_the_keys_that_enter_the_queue_were_not_moved():
    method, looks = made(), batch()
    method.step(looks)
    method.queue.push(looks.kept["key"])
    torch.testing.assert_close(method.queue.rows[:N], nn.functional.normalize(looks.views[1]))


@pytest.mark.parametrize("wrong", [{"extrapolate": -1.0}, {"interpolate": -0.5}, {"temperature": 0.0}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        FeatureTransform(Identity(), **wrong)


def test_each_batch_of_an_epoch_has_its_own_draws():
    method, found = made(), []
    for method.progress in (0.25, 0.5, 0.25):
        found.append(method.step(batch(key=7))["contrast"].item())
    assert found[0] == found[2] != found[1]
