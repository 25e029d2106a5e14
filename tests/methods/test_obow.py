"""OBoW against valeoai/obow@3758504.

The numbers are what its own OBoW model (obow/builder_obow.py) gave over three steps of SGD at rate 0.1 on these tensors on
current torch: an encoder of one convolution, one level of 16 words, inverse delta 10, kappa 5, momentum 0.9 over 12 steps,
places drawn as (3 i + 1) of those there are, two crops and a small one.
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.self_distillation.obow import OBoW
from tests.methods.fixed import D, N, fill, wave

STEPS = [  # both losses, norms of the gradients of three matrices, the running distance
    (1.199501, 1.381578, [1.094918, 1.372937, 4.282168], 0.50057),
    (0.776968, 0.766124, [0.100588, 0.387499, 0.591637], 0.496979),
    (0.344535, 0.328996, [0.095588, 0.513099, 0.410416], 0.492592),
]
ROW = [-0.561386, -0.333549, -0.16036]  # of the first gradient of the convolution
TEACHER, WORD = [0.166843, -0.173447, -0.432636], [0.546597, 0.16614, 0.122598, 0.037609, 0.022065, 0.197185]


class Convolution(nn.Module):
    """An encoder of one convolution and its mean."""

    dim = D

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, D, 1)

    def maps(self, x):
        return self.layer(x).relu()

    def forward(self, x):
        return self.maps(x).mean((2, 3))


class Drawn(Batch):
    """A batch whose places are (3 i + 1) of four."""

    def uniform(self, name, *shape):
        assert (name, shape) == ("place", (1,))
        return torch.tensor([[((3 * i + 1) % 4 + 0.5) / 4] for i in range(len(self))])


def made(**options):
    method = OBoW(Convolution(), **{"queue": 16, "hardness": 10.0, "kappa": 5.0, "teacher_momentum": 0.9, **options})
    with torch.no_grad():
        method.encoder.layer.weight.copy_(wave(D, 3, 1, 1, turn=0.7) * 0.5)
        method.encoder.layer.bias.copy_(wave(D, turn=1.1) * 0.3)
        method.teacher.follow(method.encoder, 0.0)
        fill(method.generator.parameters())
        method.words.rows.copy_(wave(16, D, turn=0.5).clamp(min=0))
    return method


def batch(step):
    sides = [(6, 0.9), (6, 1.3), (6, 1.9), (4, 2.3)]
    return Drawn([wave(N, 3, side, side, turn=turn + 0.1 * step) for side, turn in sides], torch.arange(N))


def test_three_steps_are_the_official():
    method = made()
    optimizer = torch.optim.SGD([p for p in method.parameters() if p.requires_grad], lr=0.1)
    for step, (crops, patches, norms, nearness) in enumerate(STEPS):
        method.progress = step / 12  # the copy moves before a batch there, after the last here
        looks = batch(step)
        terms = method.step(looks)
        optimizer.zero_grad()
        (terms["crops"] + terms["patches"]).backward()
        assert (terms["crops"].item(), terms["patches"].item()) == pytest.approx((crops, patches), rel=1e-4)
        matrices = (method.encoder.layer, method.generator[0], method.generator[3])
        assert [float(layer.weight.grad.norm()) for layer in matrices] == pytest.approx(norms, rel=1e-3)
        if step == 0:
            torch.testing.assert_close(method.encoder.layer.weight.grad[2].flatten(), torch.tensor(ROW), rtol=1e-3, atol=1e-5)
        assert method.nearness.item() == pytest.approx(nearness, abs=1e-5)
        if step == 2:
            torch.testing.assert_close(
                method.teacher.module.layer.weight[1].flatten(), torch.tensor(TEACHER), rtol=1e-4, atol=1e-5
            )
        optimizer.step()
        method.progress = (step + 1) / 12
        method.after_step(looks)
    torch.testing.assert_close(method.words.rows[9], torch.tensor(WORD), rtol=1e-3, atol=1e-4)


def test_neither_the_copy_nor_words_get_gradient():
    method = made()
    sum(method.step(batch(0)).values()).backward()
    assert all(p.grad is None for p in method.teacher.parameters()) and not method.words.rows.requires_grad


def test_without_small_crops_there_is_one_term():
    looks = batch(0)
    looks.views = looks.views[:3]
    assert list(made().step(looks)) == ["crops"]


@pytest.mark.parametrize("wrong", [{"hardness": 0.0}, {"border": -1}, {"window": 0}, {"teacher_momentum": 2.0}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        made(**wrong)


def test_maps_of_which_nothing_would_be_left_are_refused():
    with pytest.raises(TacitError, match="want 9 a side"):
        made(border=3).step(batch(0))
