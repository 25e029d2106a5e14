"""MoCHi against davidsvy/hard-negative-mixing@2955553, which is not by the authors.

The numbers are what its src/moco.py gave on these tensors, its draws replaced by DRAWS, on current torch: N = 5 of a queue of
16, 4 points of the first kind and 3 of the second, at temperature 0.2.
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.negatives.mochi import MoCHi
from tests.methods.fixed import D, Identity, N, wave

LOSS, NORM = 4.023758, 0.981774
ROW = [-0.10992, -0.031677, 0.192919, 0.017547, -0.202843, 0.102298]  # of the gradient
LOGITS = [2.745772, 2.858906, 2.948764, 3.082216, 3.152129, 3.192817, 4.472805]  # of query 2 with its own points
TURNS = {"one": 0.3, "other": 0.8, "between": 1.3, "third": 1.9, "towards": 2.3}


class Drawn(Batch):
    """A batch whose uniform draws are waves."""

    def uniform(self, name, *shape):
        return (wave(len(self), *shape, turn=TURNS[name]) + 1) / 2 * 0.999


def made(**options):
    method = MoCHi(Identity(), dim=D, queue=16, hardest=5, mixed=4, harder=3, **options)
    method.projector = nn.Identity()
    method.queue.teacher.module = nn.Identity()
    method.queue.rows.copy_(nn.functional.normalize(wave(16, D, turn=0.5)))
    return method


def batch():
    query = wave(N, D, turn=0.9)
    return Drawn([query.clone().requires_grad_(), query * 0.5 + wave(N, D, turn=1.7)], torch.arange(N))


def test_loss_and_gradient_and_points_are_theirs():
    method, looks = made(), batch()
    method.progress = 0.5
    loss = method.step(looks)
    loss.backward()
    query = looks.views[0]
    assert loss.item() == pytest.approx(LOSS, rel=1e-5)
    assert float(query.grad.norm()) == pytest.approx(NORM, rel=1e-4)
    torch.testing.assert_close(query.grad[3], torch.tensor(ROW), rtol=1e-3, atol=1e-5)
    unit = nn.functional.normalize(query.detach())
    own = method.synthetic(unit, looks)
    torch.testing.assert_close((own[2] @ unit[2]) / 0.2, torch.tensor(LOGITS), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(own.norm(dim=2), torch.ones(N, 7))


def test_points_towards_the_query_are_nearer_to_it_than_the_keys_they_come_from():
    method, looks = made(), batch()
    unit = nn.functional.normalize(looks.views[0].detach())
    towards = method.synthetic(unit, looks)[:, 4:]
    nearest = (unit @ method.queue.rows.T).topk(5).values
    assert ((towards * unit[:, None]).sum(2) > nearest[:, -1:]).all()


def test_before_its_start_it_is_moco():
    method, looks = made(start=0.2), batch()
    expected = nn.functional.cross_entropy(
        torch.cat([(u := nn.functional.normalize(looks.views[0])) @ method.queue.rows.T / 0.2,
                   (u * nn.functional.normalize(looks.views[1])).sum(1, keepdim=True) / 0.2], 1),
        torch.full((N,), 16),
    )  # fmt: skip
    assert method.step(looks).item() == pytest.approx(expected.item(), rel=1e-5)
    method.progress = 0.2
    assert method.step(looks) > expected


@pytest.mark.parametrize("wrong", [{"hardest": 0}, {"hardest": 99, "queue": 16}, {"mixed": -1}, {"start": 2.0}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        MoCHi(Identity(), **wrong)
