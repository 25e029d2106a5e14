"""SeLa against yukimasano/self-label@3891e37: LABELS is what its own `optimize_L_sk` (cifar.py, lambda 10) gave."""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.clustering.sela import SeLa
from tacit.numerics.sinkhorn import equal_labels
from tests.methods.fixed import D, Identity, N, sine, wave

LABELS = {  # n, k, rate, factor of the logits
    (24, 4, 0.7, 2.0): [2, 0, 2, 0, 3, 1, 3, 1, 0, 2, 0, 2, 0, 3, 1, 3, 1, 3, 2, 0, 2, 0, 3, 1],
    (30, 6, 1.3, 1.0): [1, 0, 4, 3, 1, 5, 4, 3, 1, 5, 4, 3, 2, 5, 0, 3, 2, 5, 0, 3, 2, 5, 0, 4, 2, 1, 0, 4, 2, 1],
}  # fmt: skip


@pytest.mark.parametrize("case", LABELS)
def test_labels_are_the_official(case):
    n, k, rate, factor = case
    said = (factor * sine(n, k, rate=rate).double()).log_softmax(1)
    assert equal_labels(said, 1 / 10, 0.01).tolist() == LABELS[case]


def test_labels_are_used_alike_where_the_largest_entries_are_not():
    torch.manual_seed(0)
    said = (torch.randn(600, 6) + torch.tensor([2.0, 1, 0, 0, -1, -2])).log_softmax(1)
    counts = equal_labels(said, 1 / 10, 0.01).bincount(minlength=6)
    assert counts.min() > 80 and counts.max() < 120 and said.argmax(1).bincount(minlength=6).max() > 250


def made(n=12, **options):
    torch.manual_seed(1)
    method = SeLa(Identity(), **{"labels": 3, "label_sets": 2, "relabellings": 4, **options})
    method.prepare(Facts("vector", n))
    return method


def test_labels_begin_balanced_and_of_each_head():
    method = made()
    assert method.assigned.shape == (12, 2) and not torch.equal(*method.assigned.unbind(1))
    assert all(head.bincount().tolist() == [4, 4, 4] for head in method.assigned.unbind(1))


def test_heads_are_labelled_in_turns_as_they_come_due():
    method, x = made(), wave(12, D, turn=0.9)

    def embed(how):
        return how(Batch([x], torch.arange(12)))

    first = method.assigned.clone()
    method.before_epoch(embed)
    head = (x @ method.head.weight[:3].T + method.head.bias[:3]).log_softmax(1)
    assert torch.equal(method.assigned[:, 0], equal_labels(head, 0.1, 0.01))
    assert torch.equal(method.assigned[:, 1], first[:, 1]) and int(method.done) == 1
    before = method.assigned.clone()
    method.progress = 0.1
    method.before_epoch(embed)  # nothing is due
    assert torch.equal(method.assigned, before)
    method.progress = 0.3
    method.before_epoch(embed)
    assert torch.equal(method.assigned[:, 0], before[:, 0]) and not torch.equal(method.assigned[:, 1], before[:, 1])


def test_a_step_is_the_mean_of_the_heads_cross_entropies():
    method, x = made(), wave(N, D, turn=0.9)
    index = torch.arange(N) + 2
    said = method.head(x)
    expected = [nn.functional.cross_entropy(said[:, 3 * h : 3 * h + 3], method.assigned[index, h]) for h in range(2)]
    torch.testing.assert_close(method.step(Batch([x], index)), sum(expected) / 2)


def test_more_labels_than_samples_are_refused():
    with pytest.raises(TacitError, match="There are 30 labels for 12 samples; give --labels 2"):
        made(labels=30)
    with pytest.raises(TacitError, match="labels is 1"):
        made(labels=1)


def test_a_label_far_below_the_others_is_used_as_often():
    said = torch.randn(200, 10, generator=torch.Generator().manual_seed(0))
    said[:, 3] -= 80
    counts = equal_labels(said.log_softmax(1), 1 / 10, 0.01).bincount(minlength=10)
    assert counts.min() >= 15 and counts.max() <= 25
