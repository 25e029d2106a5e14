"""The teacher follows its student by the formula and never asks for gradient."""

import pytest
import torch
from torch import nn

from tacit.parts.mlp import mlp
from tacit.parts.teacher import Teacher, rising


def test_it_follows_by_the_formula():
    torch.manual_seed(0)
    student = mlp(4, 6, 2)
    teacher = Teacher(student)
    for momentum in (0.9, 0.5, 0.0, 1.0):
        before = [p.clone() for p in teacher.parameters()]
        with torch.no_grad():
            for p in student.parameters():
                p.add_(torch.randn_like(p))
        teacher.follow(student, momentum)
        for old, now, own in zip(before, teacher.parameters(), student.parameters()):
            torch.testing.assert_close(now, momentum * old + (1 - momentum) * own)


def test_it_starts_equal_and_shares_nothing():
    student = nn.Linear(3, 2)
    teacher, x = Teacher(student), torch.randn(5, 3)
    assert torch.equal(teacher(x), student(x))
    with torch.no_grad():
        student.weight.zero_()
    assert teacher.module.weight.abs().sum() > 0


def test_buffers_are_its_own():
    student = nn.BatchNorm1d(3)
    teacher = Teacher(student)
    student(torch.randn(8, 3) + 5)
    teacher.follow(student, 0.0)
    assert torch.equal(teacher.module.running_mean, torch.zeros(3))


def test_its_norms_see_the_batch_while_training():
    """As BYOL's target does in its released code: the batch's own statistics, not the running ones."""
    teacher, x = Teacher(nn.BatchNorm1d(3)), torch.randn(64, 3) * 4 + 5
    torch.testing.assert_close(teacher.train()(x), (x - x.mean(0)) / (x.var(0, correction=0) + 1e-5).sqrt())
    assert float(teacher.eval()(x).mean()) > 0.5


def test_it_never_asks_for_gradient():
    student = mlp(4, 6, 2)
    teacher, x = Teacher(student), torch.randn(5, 4, requires_grad=True)
    assert not teacher(x).requires_grad
    (student(x) - teacher(x)).square().sum().backward()
    teacher.follow(student, 0.5)
    assert all(p.grad is None and not p.requires_grad for p in teacher.parameters())
    assert all(p.grad is not None for p in student.parameters())


def test_a_rising_momentum_ends_at_one():
    assert [rising(0.9, p) for p in (0.0, 0.5, 1.0)] == pytest.approx([0.9, 0.95, 1.0])
    course = [rising(0.996, p / 20) for p in range(21)]
    assert course == sorted(course)
