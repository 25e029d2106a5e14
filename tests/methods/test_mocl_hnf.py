"""MoCo with two queries and hard keys: nothing official is to be had, so it is held to MoCo's own loss and to a loop."""

import math

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.negatives.mocl_hnf import MoCLHNF
from tacit.objectives.info_nce import info_nce
from tests.methods.fixed import D, Identity, N, wave

K = 16


def made(**options):
    method = MoCLHNF(Identity(), dim=D, queue=K, **options)
    method.projector = nn.Identity()
    method.queue.teacher.module = nn.Linear(D, D, bias=False)
    with torch.no_grad():
        method.queue.teacher.module.weight.copy_(wave(D, D, turn=0.3))
    method.queue.rows.copy_(nn.functional.normalize(wave(K, D, turn=0.5)))
    return method


def batch():
    query = wave(N, D, turn=0.9)
    return Batch([query.clone().requires_grad_(), (query * 0.5 + wave(N, D, turn=1.7)).requires_grad_()], torch.arange(N))


def test_with_all_keys_it_is_mocos_loss_both_ways():
    method, looks = made(hardest=K), batch()
    keys = [method.queue.keys(view) for view in looks]
    first, second = looks
    both = [info_nce(query, key, method.queue.rows, 0.2) for query, key in ((first, keys[1]), (second, keys[0]))]
    loss = method.step(looks)
    assert loss.item() == pytest.approx(sum(one.item() for one in both) / 2, rel=1e-5)
    found = torch.autograd.grad(loss, looks.views)
    for mine, theirs in zip(found, torch.autograd.grad(sum(both) / 2, looks.views)):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


def test_of_the_queue_the_most_alike_keys_count():
    method, looks = made(hardest=3), batch()
    keys, total = [method.queue.keys(view) for view in looks], 0.0
    for view, key in ((0, keys[1]), (1, keys[0])):
        for row, own in zip(nn.functional.normalize(looks.views[view].detach()), key):
            hard = sorted((float(row @ other) / 0.2 for other in method.queue.rows), reverse=True)[:3]
            mine = float(row @ own) / 0.2
            total += math.log(sum(map(math.exp, [mine, *hard]))) - mine
    assert method.step(looks).item() == pytest.approx(total / (2 * N), rel=1e-5)


def test_keys_of_the_second_view_enter_the_queue():
    method, looks = made(hardest=3), batch()
    method.step(looks)
    torch.testing.assert_close(looks.kept["key"], method.queue.keys(looks.views[1]))


@pytest.mark.parametrize("wrong", [{"hardest": 0}, {"hardest": 99, "queue": 16}, {"teacher_momentum": 2.0}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        MoCLHNF(Identity(), **wrong)
