"""Unicom against deepglint/unicom@ae71411: what its own `PartialFC_V2` and `CombinedMarginLoss` (unicom/partial_fc.py, s 32)
gave on one process, with these numbers in place of drawn ones."""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.clustering.unicom import Unicom, margin_softmax
from tests.methods.fixed import sine

C, D = 12, 6
ORDER = torch.tensor([0.3, 0.9, 0.1, 0.5, 0.8, 0.2, 0.7, 0.05, 0.6, 0.4, 0.95, 0.15])
LABELS, SEEN = torch.tensor([2, 7, 2, 0, 4]), torch.tensor([3, 1, 5, 2])
FOUND = {  # share of prototypes, dimensions, margin: loss, norms of both gradients, a row of each, which prototypes move
    (0.6, 4, 0.3): (
        21.7329158782959,
        (12.94410228729248, 8.531188011169434),
        [0.0, -0.0141783, -0.0367486, -0.0819431, 0.0, -0.0895207],
        [0.0, -2.5445261, 1.2638358, 2.7206781, 0.0, -1.9680543],
        [0, 1, 2, 4, 6, 7, 10],
    ),
    (1.0, 4, 0.3): (
        22.848020553588867,
        (10.203795433044434, 7.552883625030518),
        [0.0, 0.0068228, -0.0381763, -0.1030918, 0.0, -0.1138407],
        [0.0, -2.5445263, 1.2638361, 2.7206783, 0.0, -1.9680545],
        list(range(C)),
    ),
    (0.6, 6, 0.25): (
        20.16043472290039,
        (10.372818946838379, 9.504254341125488),
        [2.8826821, 2.1675704, 0.5099863, -1.5871332, -3.1215978, -3.0865777],
        [-1.7086463, -1.0708439, 1.1686119, 1.7156689, -0.2535852, -1.8753192],
        [0, 1, 2, 4, 6, 7, 10],
    ),
}


class Six(nn.Module):
    """An encoder that says what it sees."""

    dim = D

    def forward(self, x):
        return x


def made(n=20, **options):
    torch.manual_seed(0)
    method = Unicom(Six(), **{"clusters": C, **options})
    method.prepare(Facts("vector", n))
    return method


@pytest.mark.parametrize("case", FOUND)
def test_the_loss_and_its_gradients_are_the_official(case):
    compared, dimensions, margin = case
    loss, norms, row, moved, which = FOUND[case]
    method = made(compared=compared, dimensions=dimensions / D, margin=margin)
    with torch.no_grad():
        method.prototypes.copy_(sine(C, D, rate=0.7))
    method.order.copy_(ORDER)
    method.seen = SEEN if dimensions == 4 else torch.arange(D)
    method.assigned[3:8] = LABELS
    z = sine(5, D, rate=1.3).requires_grad_()
    ours = method.step(Batch([z], torch.arange(5) + 3))
    ours.backward()
    assert float(ours.detach()) == pytest.approx(loss, rel=1e-5)
    for gradient, norm in zip((z.grad, method.prototypes.grad), norms):
        assert float(gradient.norm()) == pytest.approx(norm, rel=1e-4)
    torch.testing.assert_close(z.grad[1], torch.tensor(row), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(method.prototypes.grad[7], torch.tensor(moved), rtol=1e-3, atol=1e-4)
    assert method.prototypes.grad.norm(dim=1).gt(0).nonzero()[:, 0].tolist() == which


def test_without_a_margin_it_is_the_cross_entropy_of_cosines():
    cosines, own = sine(5, 4, rate=0.7), torch.tensor([0, 3, 2, 1, 1])
    torch.testing.assert_close(margin_softmax(cosines, own, 0.0, 8.0), nn.functional.cross_entropy(8 * cosines, own))


def test_all_of_a_batch_are_compared_however_few_are_asked_for():
    method = made(compared=0.01, dimensions=1.0)
    method.assigned[:5] = LABELS
    method.step(Batch([sine(5, D, rate=1.3)], torch.arange(5))).backward()
    moved = method.prototypes.grad.norm(dim=1).gt(0).nonzero()[:, 0].tolist()
    assert {*LABELS.tolist()} <= {*moved} and len(moved) == 5  # negatives fill up to the batch


def test_clusters_are_found_once_and_draws_change_after_each_step():
    method, calls = made(dimensions=0.5), []

    def embed():
        calls.append(1)
        return sine(20, D, rate=0.7)

    method.before_epoch(embed)
    method.progress = 0.5
    method.before_epoch(embed)
    assert len(calls) == 1 and len(method.assigned.unique()) == C
    order, seen = method.order.clone(), method.seen.clone()
    method.after_step(Batch([], torch.arange(5)))
    assert not torch.equal(method.order, order) and len(seen.unique()) == len(method.seen.unique()) == 3
    assert method.groups() == {"prototypes": {"lr": 5.0}}


def test_wrong_options_are_named():
    with pytest.raises(TacitError, match="There are 12 clusters for 8 samples; give --clusters 2"):
        made(n=8)
    with pytest.raises(TacitError, match="margin is 4"):
        made(margin=4.0)
    with pytest.raises(TacitError, match="compared is 2"):
        made(compared=2.0)
