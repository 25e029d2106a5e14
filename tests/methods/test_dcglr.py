"""DCGLR: distillation over all pairs of views and an N-pair term, by a loop; what the teacher sees and how it moves."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from tacit.errors import TacitError
from tacit.methods.self_distillation.dcglr import DCGLR
from tacit.parts.teacher import Teacher
from tests.methods.fixed import Identity, N, fill, views


def made(**options) -> DCGLR:
    method = DCGLR(Identity(), k=9, hidden=7, bottleneck=4, **options)
    fill(method.head.parameters())
    method.teacher = Teacher(nn.Sequential(method.encoder, method.head))
    return method


def test_both_terms_by_a_loop():
    """As POS-BERT's DINOLoss with use_npair_loss, without its patches and its division by 3."""
    method, batch = made(), views(0.9, 1.7, 2.3, 2.9)
    found = method.step(batch)
    student = [method.head(view) / 0.1 for view in batch]
    teacher = [(method.head(view) / 0.04).softmax(1) for view in batch.views[:2]]
    pairs = [-(teacher[q] * student[v].log_softmax(1)).sum(1).mean() for q in range(2) for v in range(4) if v != q]
    torch.testing.assert_close(found["distillation"], sum(pairs) / 6, rtol=1e-4, atol=1e-5)
    own = torch.arange(N)
    contrast = sum(cross_entropy(64 * t @ s.T, own) for t in teacher for s in student) / 8
    torch.testing.assert_close(found["contrast"][0], contrast, rtol=1e-3, atol=1e-4)
    assert found["contrast"][1] == 0.01


def test_the_centre_follows_what_the_teacher_said():
    method, batch = made(centre_momentum=0.8), views(0.9, 1.7, 2.3)
    method.step(batch)
    said = torch.cat([method.head(view) for view in batch.views[:2]])
    before = method.teacher.module[1].layers[0].weight.clone()
    with torch.no_grad():
        method.head.layers[0].weight += 1
    method.after_step(batch)
    torch.testing.assert_close(method.centre, 0.2 * said.mean(0).detach(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(method.teacher.module[1].layers[0].weight, before + 0.004, rtol=1e-4, atol=1e-6)
    assert not any(p.requires_grad for p in method.teacher.parameters())


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="teacher_temperature"):
        made(teacher_temperature=0.0)
