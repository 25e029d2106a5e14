"""DINO against facebookresearch/dino@7c446df: the numbers are what its head, loss and update gave in two steps of SGD."""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.methods.self_distillation.dino import DINO
from tacit.parts.teacher import Teacher
from tests.methods.fixed import Identity, fill, views

STEPS = [  # loss, gradients' norms, centre's beginning, the teacher's first weights after the step
    (
        0.3107185363769531,
        [0.0098098, 0.4918637, 0.7765133, 3.5298882],
        [0.02465692162513733, 0.010322663001716137, -0.004855568986386061, -0.019767388701438904],
        [0.32202935218811035, 0.4926876425743103, 0.4314424395561218],
    ),
    (
        0.004842603113502264,
        [2.45e-05, 0.0008764, 0.0018308, 0.0018342],
        [0.06656245142221451, 0.005855591967701912, -0.014212781563401222, -0.04129950329661369],
        [0.3219579756259918, 0.4926541745662689, 0.431296706199646],
    ),
]


def made(**options) -> DINO:
    method = DINO(Identity(), k=9, hidden=7, bottleneck=4, **options)
    fill(method.head.parameters())
    method.teacher = Teacher(nn.Sequential(method.encoder, method.head))
    return method


def test_two_steps_are_the_official():
    method = made(warm=1.0, sharpening=(0.04, 0.07), teacher_momentum=0.9)
    optimizer = torch.optim.SGD(method.head.parameters(), lr=0.5)
    for step, (loss, gradients, centre, weights) in enumerate(STEPS):
        method.progress = step / 2  # 0.04, then half of the way to 0.07: the second of three published epochs
        found = method.step(views(0.9, 1.7, 2.3, 2.9))
        optimizer.zero_grad()
        found.backward()
        assert float(found) == pytest.approx(loss, rel=1e-3)
        norms = [float(p.grad.norm()) for p in method.head.parameters() if p.ndim == 2]
        assert norms == pytest.approx(gradients, rel=5e-3)
        optimizer.step()
        method.progress = 0.0  # a momentum that stays, as the numbers were made
        method.after_step(views(0.9))
        torch.testing.assert_close(method.centre[:4], torch.tensor(centre), rtol=1e-3, atol=1e-6)
        torch.testing.assert_close(method.teacher.module[1].layers[0].weight[0, :3], torch.tensor(weights), rtol=1e-4, atol=0)


def test_the_teachers_temperature_rises_and_stays():
    method = made(warm=0.5, sharpening=(0.04, 0.08))
    found = []
    for progress in (0.0, 0.25, 0.5, 1.0):
        method.progress = progress
        found.append(method.sharpness())
    assert found == pytest.approx([0.04, 0.06, 0.08, 0.08])


def test_the_centre_is_the_mean_over_micro_batches():
    whole, parts = made(), made()
    whole.step(views(0.9, 1.7, 2.3, 2.9))
    batch = views(0.9, 1.7, 2.3, 2.9)
    for half in (slice(0, 4), slice(4, 8)):
        piece = views(0.9, 1.7, 2.3, 2.9)
        piece.views, piece.index = [view[half] for view in batch.views], batch.index[half]
        parts.step(piece)
    for method in (whole, parts):
        method.after_step(batch)
    torch.testing.assert_close(whole.centre, parts.centre)
    assert float(whole.centre.detach().abs().max()) > 0 and float(whole.heard.abs().max()) == 0


def test_wrong_numbers_are_refused():
    with pytest.raises(TacitError, match=r"centre_momentum is -0.1; it must lie in \[0, 1\]"):
        made(centre_momentum=-0.1)
    with pytest.raises(TacitError, match="sharpening is "):
        made(sharpening=(0.0, 0.07))
