"""DINO against facebookresearch/dino@7c446df: the numbers are what its head, loss and update gave in two steps of SGD."""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.self_distillation.dino import DINO
from tacit.parts.teacher import Teacher
from tests.methods.fixed import D, Identity, N, fill, views, wave

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


ROUNDS = [  # by its own train_one_epoch: loss, norms of gradients of convolution, first layer, directions; centre; teacher
    (2.6388075, [2.7054896, 4.3485532, 0.0], [-0.0174578, -0.0058749, 0.0064876], [0.1607737, 0.3195949, -0.4948342]),
    (2.2395167, [1.4610593, 2.8656297, 3.1404893], [-0.0342902, -0.0113834, 0.0129989], [0.1678588, 0.3211978, -0.4910532]),
    (2.7167292, [0.4094972, 0.993935, 6.0618019], [-0.0499576, -0.0159494, 0.0190177], [0.1743416, 0.3224152, -0.4868191]),
    (2.977869, [0.6123095, 0.9538571, 6.1937795], [-0.0660666, -0.0211604, 0.0235145], [0.1765791, 0.3224392, -0.4845156]),
    (3.2493439, [0.0888905, 0.070231, 6.1264386], [-0.0798729, -0.0246753, 0.0283539], [0.1779519, 0.3224488, -0.4830098]),
    (2.3211861, [0.6959226, 1.3013034, 1.8889349], [-0.0901022, -0.0259631, 0.0336549], [0.1785308, 0.3224267, -0.4823841]),
]


class Convolution(nn.Module):
    """A convolution, a norm and a mean: takes images of any size, and minds with whom they are normalised."""

    dim = D

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, D, 3, padding=1, bias=False), nn.BatchNorm2d(D)

    def forward(self, x):
        return torch.relu(self.norm(self.conv(x))).mean((2, 3))


def test_six_epochs_of_the_released_training():
    """Epochs of one batch, two large crops and three small, directions held for one and temperatures rising over three."""
    options = {"k": 7, "hidden": 8, "bottleneck": 5, "norm": True, "warm": 1 / 3, "teacher_momentum": 0.9}
    method = DINO(Convolution(), **options)
    fill([*method.encoder.parameters(), *method.head.parameters()])
    method.teacher = Teacher(nn.Sequential(method.encoder, method.head))
    directions = method.head.directions.weight
    trained = [*method.encoder.parameters(), *method.head.parameters()]
    optimizer = torch.optim.SGD(trained, lr=0.1, momentum=0.9)
    for step, (loss, gradients, centre, weights) in enumerate(ROUNDS):
        method.progress = step / len(ROUNDS)
        directions.requires_grad_(step > 0)  # what `hold` does
        crops = [wave(N, 3, side, side, turn=0.37 + 0.11 * v + 0.05 * step) for v, side in enumerate((8, 8, 4, 4, 4))]
        batch = Batch(crops, torch.arange(N))
        optimizer.zero_grad()
        found = method.step(batch)
        found.backward()
        assert float(found.detach()) == pytest.approx(loss, rel=1e-4)
        first = method.head.layers[0].weight
        norms = [0.0 if p.grad is None else float(p.grad.norm()) for p in (method.encoder.conv.weight, first, directions)]
        assert norms == pytest.approx(gradients, rel=1e-3)
        optimizer.step()
        method.after_step(batch)
        torch.testing.assert_close(method.centre[:3], torch.tensor(centre), rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(
            method.teacher.module[1].layers[-1].weight[1, :3], torch.tensor(weights), rtol=1e-4, atol=1e-5
        )
    theirs = [1.2508825, 1.2689062, 1.2779149, 1.2607133, 1.2524892, 1.2466743]  # the teacher's own, of large crops alone
    torch.testing.assert_close(method.teacher.module[0].norm.running_var, torch.tensor(theirs), rtol=1e-4, atol=0)


def test_crops_of_one_size_are_seen_together():
    method, seen = DINO(Convolution(), k=7, hidden=8, bottleneck=5), []
    method.encoder.register_forward_pre_hook(lambda module, x: seen.append(tuple(x[0].shape)))
    for sides, expected in (((8, 8, 4, 4), [(2 * N, 8), (2 * N, 4)]), ((8,) * 4, [(4 * N, 8)]), ((8, 8), [(2 * N, 8)])):
        seen.clear()
        method.step(Batch([wave(N, 3, side, side, turn=0.5 + v) for v, side in enumerate(sides)], torch.arange(N)))
        assert [(shape[0], shape[2]) for shape in seen] == expected


@pytest.mark.parametrize("sharpening", [(0.04, float("nan")), (0.0, 0.04), (0.04,)])
def test_temperatures_that_mean_nothing_are_refused(sharpening):
    with pytest.raises(TacitError, match=r"^sharpening is .*; give two temperatures above 0"):
        DINO(Identity(), sharpening=sharpening)
