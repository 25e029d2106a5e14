"""BYOL against google-deepmind/deepmind-research@4822a45: the numbers are what its loss gave in JAX on these tensors."""

import math

import pytest
import torch

from tacit.errors import TacitError
from tacit.methods.self_distillation.byol import BYOL
from tacit.objectives.prediction import cosine_distance
from tacit.parts.teacher import rising
from tests.methods.fixed import D, Identity, N, fill, views, wave


def test_loss_and_gradient_are_the_official():
    first, second, first_target, second_target = (wave(N, D, turn=t) for t in (0.9, 1.7, 2.3, 2.9))
    first.requires_grad_(), second.requires_grad_()
    loss = 2 * (cosine_distance(first, second_target) + cosine_distance(second, first_target))
    loss.backward()
    assert float(loss) == pytest.approx(4.010454, abs=1e-5)
    assert [float(first.grad.norm()), float(second.grad.norm())] == pytest.approx([0.4023633, 0.37756133], rel=1e-5)
    torch.testing.assert_close(first.grad[0, :3], torch.tensor([-0.01383327, 0.0393516, -0.04705821]), rtol=1e-4, atol=1e-7)


def test_a_step_predicts_the_other_views_target():
    torch.manual_seed(3)  # a teacher whose answer is zero has no direction, and the two forms differ there
    method = BYOL(Identity(), dim=5, hidden=7)
    fill(method.projector.parameters()), fill(method.predictor.parameters())
    batch = views(0.9, 1.7)
    first, second = (method.predictor(method.projector(view)) for view in batch)
    targets = [method.teacher(view) for view in batch]
    expected = sum(
        (torch.nn.functional.normalize(p, dim=1) - torch.nn.functional.normalize(t, dim=1)).square().sum(1).mean()
        for p, t in ((first, targets[1]), (second, targets[0]))
    )
    torch.testing.assert_close(method.step(batch), expected)


@pytest.mark.parametrize("progress", [0.0, 0.25, 0.9])
def test_the_target_follows_by_the_official_schedule(progress):
    """1 − (1 − base) · (cos(π · step / steps) + 1) / 2."""
    momentum = rising(0.996, progress)
    assert momentum == pytest.approx(1 - 0.004 * 0.5 * (1 + math.cos(math.pi * progress)))
    method = BYOL(Identity(), dim=5, hidden=7)
    before = [p.clone() for p in method.teacher.parameters()]
    fill(method.projector.parameters())
    method.progress = progress
    method.after_step(views(0.9, 1.7))
    for old, now, own in zip(before, method.teacher.parameters(), method.projector.parameters()):
        torch.testing.assert_close(now, momentum * old + (1 - momentum) * own)


def test_a_momentum_outside_0_and_1_is_refused():
    with pytest.raises(TacitError, match=r"teacher_momentum is 1.5; it must lie in \[0, 1\]"):
        BYOL(Identity(), teacher_momentum=1.5)
