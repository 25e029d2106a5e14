"""MYOW against nerdslab/myow@73f2b43.

The numbers are what its own MYOW model (self_supervised/model) and trainer's sums gave on these tensors on current torch, the
mined term weighing 0.5, one neighbour, and a sample's own look put out of the pool by a distance of 99.
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.self_distillation.myow import MYOW
from tests.methods.fixed import D, Identity, N, wave

NEIGHBOURS = [7, 7, 3, 4, 3, 4, 0, 0]
VIEWS, MINED, TOTAL = 1.835599, 1.615658, 1.762285
NORMS = [2.010623, 1.257321, 0.185619, 0.149223, 1.713111, 0.615419]
ROW = [-0.157148, -0.165825, -0.008516, 0.139333, 0.145344, 0.066643]  # of the encoder's gradient


class Linear(nn.Linear):
    """An encoder of one layer."""

    dim = D

    def __init__(self):
        super().__init__(D, D)


def made(**options):
    sizes = {"dim": 5, "hidden": 7, "mined_dim": 4, "mined_hidden": 6}
    return MYOW(Linear(), **{**sizes, "ramp": (0.0, 0.5), **options})


def filled():
    """With the tensors that the official code was given."""
    method = made()
    heads = (method.projector, method.mined_projector, method.predictor, method.mined_predictor)
    with torch.no_grad():
        for i, layer in enumerate((method.encoder, *(head[place] for head in heads for place in (0, 3)))):
            layer.weight.copy_(wave(*layer.weight.shape, turn=0.7 + 0.13 * i) * 0.5)
            if layer.bias is not None:
                layer.bias.copy_(wave(*layer.bias.shape, turn=1.1 + 0.2 * i) * 0.3)
        for teacher, part in zip(method.teachers, method.followed()):
            teacher.follow(part, 0.0)
        for j, p in enumerate(method.teachers[0].parameters()):
            p.add_(wave(*p.shape, turn=0.31 + 0.1 * j) * 0.2)
    return method


def batch():
    first = wave(N, D, turn=0.9)
    return Batch([first, first * 0.5 + wave(N, D, turn=1.7)], torch.arange(N))


def test_neighbours_terms_and_gradients_are_the_official():
    method, looks = filled(), batch()
    method.progress = 0.25  # half of the ramp
    terms = method.step(looks)
    assert [term.item() for term, _ in terms.values()] == pytest.approx([VIEWS, MINED], abs=1e-5)
    total = sum(term * weight for term, weight in terms.values())
    total.backward()
    assert total.item() == pytest.approx(TOTAL, abs=1e-5)
    p, m, q, n = method.projector, method.mined_projector, method.predictor, method.mined_predictor
    layers = (method.encoder, p[3], m[0], m[3], q[0], n[3])
    assert [float(layer.weight.grad.norm()) for layer in layers] == pytest.approx(NORMS, rel=1e-4)
    torch.testing.assert_close(method.encoder.weight.grad[1], torch.tensor(ROW), rtol=1e-3, atol=1e-5)
    pool = method.teachers[0](looks.views[1])
    found = method.mined(method.encoder(looks.views[0]), pool, looks)
    assert torch.equal(found, pool[NEIGHBOURS])


@pytest.mark.parametrize(("progress", "weight"), [(0.0, 0.0), (0.25, 0.5), (0.5, 1.0), (1.0, 1.0)])
def test_the_mined_term_comes_in_along_the_ramp(progress, weight):
    method = made()
    method.progress = progress
    terms = method.step(batch())
    assert [share for _, share in terms.values()] == pytest.approx([1 / (1 + weight), weight / (1 + weight)])


def test_of_several_neighbours_one_is_drawn_and_never_oneself():
    method = made(neighbours=3)
    y = wave(N, D, turn=0.9)
    near = (nn.functional.normalize(y) @ nn.functional.normalize(y).T).fill_diagonal_(-9).topk(3).indices
    seen = set()
    for key in range(60):
        found = method.mined(y, y, Batch([], torch.arange(N), key=key))
        place = torch.cdist(found, y).argmin(1)
        assert (near == place[:, None]).any(1).all()
        seen |= {(i, int(j)) for i, j in enumerate(place)}
    assert len(seen) == 3 * N


def test_all_three_teachers_follow():
    method = made(teacher_momentum=0.5)
    before = [next(teacher.parameters()).clone() for teacher in method.teachers]
    with torch.no_grad():
        for part in method.followed():
            next(part.parameters()).add_(1.0)
        method.after_step(batch())
    for old, teacher in zip(before, method.teachers):
        torch.testing.assert_close(next(teacher.parameters()), old + 0.5)


@pytest.mark.parametrize("wrong", [{"ramp": (0.5, 0.5)}, {"weight": -1.0}, {"neighbours": 0}, {"teacher_momentum": 2.0}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        MYOW(Identity(), **wrong)
