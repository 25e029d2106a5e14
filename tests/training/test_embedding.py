"""All samples in their order, through whatever represents them, on one process and on two."""

from contextlib import nullcontext

import pytest
import torch
from torch import nn

from tacit.method import Batch, Method
from tacit.training.embedding import embedder
from tests.training.numbers import numbers


class Tenfold(Method):
    """Ten times the sample, with a norm that would notice training mode."""

    def __init__(self):
        super().__init__(nn.Identity())
        self.norm = nn.BatchNorm1d(3, eps=0.0)

    def represent(self, batch: Batch):
        return self.norm(batch.views[0]) * 10


def embedded():
    method = Tenfold()
    embed = embedder(method, {"main": numbers(21), "other": numbers(9, batch=4)}, nullcontext, batch=4)
    return [embed().tolist(), embed("other").tolist(), embed(how=lambda batch: batch.views[0][:, :1] - 1).tolist()]


def test_all_samples_in_order():
    main, other, own = (torch.tensor(found) for found in embedded())
    assert torch.equal(main, 10 * torch.arange(21.0)[:, None].repeat(1, 3))
    assert torch.equal(other, 10 * torch.arange(9.0)[:, None].repeat(1, 3))
    assert torch.equal(own, torch.arange(21.0)[:, None] - 1)


def test_two_processes_embed_a_share_each_and_get_all(pair):
    assert pair.run(embedded) == [embedded()] * 2


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_given_back_even_after_a_failure(training):
    method = Tenfold().train(training)
    embed = embedder(method, {"main": numbers(8)}, nullcontext)
    assert not embed().requires_grad and method.training is training

    def fail(batch):
        assert not method.training
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        embed(how=fail)
    assert method.training is training
    assert method.norm.num_batches_tracked == 0
