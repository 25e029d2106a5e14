"""PixPro against zdaxie/PixPro@e390d6b.

The numbers are what its own PixPro model (contrast/models/PixPro.py) gave on these tensors on current torch, its batch norms
not exchanged for synchronised ones, with one convolution as encoder and a projector of 7 and 5.
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.pretext.pixpro import PixPro
from tacit.objectives.dense.cells import propagated
from tacit.parts.images.cells import Cells
from tests.methods.fixed import sine, wave

N, C, D = 5, 3, 6
LOSS = -0.299600
NORMS = [6.164269, 4.150144, 1.318474, 2.063051]
ROW = [-0.973532, -0.869928, 0.418452, 0.317920]  # of the encoder's gradient
SMOOTHED = [5.928221, -4.156385, -0.386910, 3.980860, -4.446592]  # of the first image, second row, third column


class Convolution(nn.Conv2d):
    """An encoder of one layer."""

    dim = D

    def __init__(self):
        super().__init__(C, D, 2, stride=2)

    def maps(self, x):
        return super().forward(x)

    def forward(self, x):
        return self.maps(x).mean((2, 3))


def made(**options):
    return PixPro(Convolution(), **{"dim": 5, "hidden": 7, **options})


def filled():
    """With the weights that the official code was given, which there had a bias before the norm too: 0."""
    method = made()
    first, norm, _, last = method.projector
    given = [method.encoder.weight, method.encoder.bias, first.weight, None, norm.weight, norm.bias]
    given += [last.weight, last.bias, method.value.weight, method.value.bias]
    with torch.no_grad():
        for i, p in enumerate(given):
            if p is not None:
                p.copy_(wave(*p.shape, turn=0.7 + 0.13 * i) * 0.5 + (1.0 if p is norm.weight else 0.0))
        slow = method.teacher.module
        for own, student, count in ((slow.encoder, method.encoder, 0), (slow.projector, method.projector, 1)):
            for j, (p, fast) in enumerate(zip(own.parameters(), student.parameters())):
                turn = j + (count if j else 0)  # the code's projector has a bias more, which the norm takes away again
                p.copy_(fast + wave(*p.shape, turn=0.31 + 0.1 * turn) * 0.2)
    return method


def batch():
    draws = (wave(2, N, 4, turn=0.77) + 1) / 2
    box = torch.cat([draws[..., :2] * 0.4, 0.3 + 0.3 * draws[..., 2:]], 2)
    flip = torch.tensor([[0, 1, 0, 1, 0], [0, 0, 1, 1, 0]], dtype=torch.bool)
    params = [{"box": box[v], "flip": flip[v]} for v in range(2)]
    return Batch([sine(N, C, 8, 8, rate=0.3), sine(N, C, 8, 8, rate=0.47)], torch.arange(N), params=params)


def test_loss_and_gradients_are_the_official():
    method = filled()
    loss = method.step(batch())
    loss.backward()
    assert loss.item() == pytest.approx(LOSS, abs=1e-5)
    layers = (method.encoder, method.projector[0], method.projector[3], method.value)
    assert [float(layer.weight.grad.norm()) for layer in layers] == pytest.approx(NORMS, rel=1e-3)
    assert method.encoder.weight.grad[1, 0].flatten().tolist() == pytest.approx(ROW, rel=1e-3)
    assert all(p.grad is None for p in method.teacher.parameters())


def test_smoothed_maps_are_the_official():
    method = filled()
    with torch.no_grad():
        z = Cells(method.encoder, method.projector)(batch().views[0])
        found = propagated(z, method.value(z), 2.0)
    assert found[0, 1, 2].tolist() == pytest.approx(SMOOTHED, rel=1e-4)


def test_the_teacher_follows_more_slowly_to_the_end():
    method = made(teacher_momentum=0.5)
    before = next(method.teacher.parameters()).clone()
    with torch.no_grad():
        method.encoder.weight.add_(1.0)
        method.after_step(batch())
        torch.testing.assert_close(next(method.teacher.parameters()), before + 0.5)
        method.progress = 1.0
        method.encoder.weight.add_(1.0)
        method.after_step(batch())
    torch.testing.assert_close(next(method.teacher.parameters()), before + 0.5)


@pytest.mark.parametrize("wrong", [{"sharpness": 0.0}, {"reach": -1.0}, {"hidden": 0}, {"teacher_momentum": 1.5}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        made(**wrong)
