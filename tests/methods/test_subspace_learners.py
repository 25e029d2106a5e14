"""Dynamic subspace learners against adigasu/Dynamic_subspace_learners@84fce0a.

LOSSES are what its own MarginLoss and Sampler (lib/loss) gave for these rows and labels, with the norms of the rows' gradients;
SHARES what its own FilterLearner (lib/model.py) said of these outputs and gradients; RENUMBERED is its own `reassign_clusters`
(lib/data/loader/reassignment.py).
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.evaluation.labelled.clustering import contingency, nmi
from tacit.method import Batch, Facts
from tacit.methods.contrast.subspace_learners import SubspaceLearners
from tacit.methods.contrast.subspace_learners.batches import balanced, in_turns
from tacit.methods.contrast.subspace_learners.clusters import reassigned, renumbered, told
from tacit.methods.contrast.subspace_learners.learners import Attention, Subspaces, shares_of_most
from tacit.methods.contrast.subspace_learners.patience import Patience
from tacit.numerics.exact import unit
from tacit.objectives.contrast.margin_by_class import margin_by_class
from tests.methods.fixed import sine

LOSSES = [  # labels, numbers of a row and their rate, loss, norms of the first four gradients
    ([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2], 4, 0.7, 1.0742753, [0.0040537, 0.0536134, 0.0157163, 0.0129948]),
    ([0, 1, 0, 1, 2, 0, 2, 1, 0, 0, 2, 2], 4, 0.7, 0.8686101, [0.056507, 0.0436628, 0.0591519, 0.0307807]),
    ([0, 0, 1, 1, 1, 1, 1, 2, 2, 0], 3, 2.9, 1.0916364, [0.5137275, 0.0228624, 0.1094765, 0.0552234]),
]
SHARES = [0.7419183, 0.5994475, 0.0, 1.0, 0.3039199, 0.4997671, 0.7669595, 0.121375, 0.9324027, 0.4699629, 0.2160407, 0.8748477]
KEPT = [4, 5, 7, 10, 12, 15]
BEFORE = [0, 0, 1, 1, 2, 2, 2, 0, 1, 2, 3, 3]
FOUND = [1, 1, 0, 0, 2, 2, 3, 1, 3, 2, 3, 3]
RENUMBERED = [0, 0, 1, 1, 2, 2, 3, 0, 3, 2, 3, 3]


class Maps(nn.Module):
    """An encoder whose map is the image."""

    dim = 4

    def maps(self, x):
        return x

    def forward(self, x):
        return x.mean((2, 3))


def made(**options):
    torch.manual_seed(0)
    method = SubspaceLearners(Maps(), **{"dim": 16, "each": 2, "patience": 2, "held_out": 0.2, **options})
    method.batch_size = 8
    method.prepare(Facts("image", 40, (4, 3, 3), {"classes": 4}))
    return method


@pytest.mark.parametrize(("labels", "d", "rate", "loss", "norms"), LOSSES)
def test_loss_and_gradient_are_the_official(labels, d, rate, loss, norms):
    x = sine(len(labels), d, rate=rate).requires_grad_()
    found = margin_by_class(unit(x), torch.tensor(labels))
    found.backward()
    torch.testing.assert_close(found, torch.tensor(loss))
    torch.testing.assert_close(x.grad.norm(dim=1)[:4], torch.tensor(norms), rtol=1e-4, atol=1e-6)


def test_where_few_are_far_enough_the_nearest_of_other_classes_stand_in():
    """Two classes, one close to the other; against a loop."""
    z = unit(torch.tensor([[1.0, 0.0], [1.0, 0.3], [1.0, 0.1], [1.0, 0.2], [1.0, 0.6], [-1.0, 0.2]]))
    labels = torch.tensor([0, 0, 1, 1, 1, 0])
    costs = []
    for i in range(6):
        apart = (z - z[i]).norm(dim=1)
        others = [j for j in range(6) if labels[j] != labels[i]]
        far = sorted(others, key=lambda j: (bool(apart[j] < 0.5), float(apart[j])))[:2]
        same = [j for j in range(6) if labels[j] == labels[i] and j != i]
        costs += [
            float((apart[p] - 1.0).clamp_min(0) + (1.4 - apart[n]).clamp_min(0)) for p, n in zip(same, sorted(far), strict=True)
        ]
    expected = sum(costs) / sum(cost > 0 for cost in costs)
    torch.testing.assert_close(margin_by_class(z, labels), torch.tensor(expected))


def test_without_pairs_of_a_class_or_of_two_nothing_is_wrong():
    x = sine(6, 3, rate=2.9).requires_grad_()
    alone = margin_by_class(unit(x), torch.arange(6))
    alone.backward()
    assert float(alone.detach()) == 0 and not x.grad.any()
    one = margin_by_class(unit(x), torch.zeros(6, dtype=torch.int64))  # positives alone
    near = (unit(x)[:, None] - unit(x)).norm(dim=2)[~torch.eye(6, dtype=torch.bool)] - 1.0
    torch.testing.assert_close(one, near[near > 0].mean(), rtol=1e-5, atol=1e-6)


def test_dimensions_that_stay_are_the_official():
    layer = Subspaces(3, 16, 2)
    layer.owner.copy_((torch.arange(16) >= 4).long())
    layer.importance.copy_((sine(6, 16, rate=0.7) * sine(6, 16, rate=1.9)).sum(0))
    torch.testing.assert_close(shares_of_most(layer.importance[4:]), torch.tensor(SHARES), rtol=1e-4, atol=1e-6)
    before = layer.weight.detach().clone()
    assert not layer.grow(2) and layer.grow(3)
    assert (layer.owner == 1).nonzero()[:, 0].tolist() == KEPT and layer.learners == 3
    new = layer.owner == 2
    assert torch.equal(layer.weight[~new], before[~new]) and (layer.weight[new] != before[new]).all()
    layer.importance.copy_(sine(16, rate=0.7))
    assert int(new.sum()) == 6 and not layer.grow(9)  # of so few dimensions none are given away


def test_what_matters_alike_is_not_divided():
    layer = Subspaces(3, 16, 1)
    layer.importance.fill_(2.0)
    assert not layer.grow(9) and layer.learners == 1
    layer.importance[:4] = 9.0
    assert not layer.grow(9)  # four would stay


def test_each_learners_outputs_have_length_one():
    layer = Subspaces(3, 10, 4)
    assert layer.owner.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]
    x = sine(5, 3, rate=0.7)
    plain = x @ layer.weight.T + layer.bias
    expected = torch.cat([unit(part) for part in plain.split([3, 3, 3, 1], 1)], 1)
    torch.testing.assert_close(layer(x), expected)


def test_attention_weighs_places():
    torch.manual_seed(0)
    attention, maps = Attention(4), sine(2, 4, 3, 3, rate=0.7)
    weights = attention.weights(maps)
    assert weights.shape == (2, 1, 3, 3) and (weights > 0).all() and (weights < 1).all()
    torch.testing.assert_close(attention(maps), (weights * maps).flatten(2).mean(2))


def test_clusters_keep_their_numbers():
    assert renumbered(torch.tensor(FOUND), torch.tensor(BEFORE), 4).tolist() == RENUMBERED
    turned = torch.tensor([1, 1, 2, 2, 0, 0])  # round a ring, where the released code goes the wrong way
    assert renumbered(turned, torch.tensor([0, 0, 1, 1, 2, 2]), 3).tolist() == [0, 0, 1, 1, 2, 2]
    grown = renumbered(torch.tensor([0, 0, 1, 1, 1]), torch.tensor([0, 0, 0, 0, 0]), 2)
    assert grown.tolist() == [1, 1, 0, 0, 0]  # the larger part keeps the number


def test_who_is_alone_of_its_class_in_a_cluster_is_of_none():
    x = torch.tensor([[1.0, 0.0]] * 5 + [[0.0, 1.0]] * 4)
    labels = torch.tensor([0, 0, 1, 1, 2, 0, 0, 1, 1])
    found = reassigned(x, labels, torch.tensor([1] * 5 + [0] * 4), 2)
    assert found.tolist() == [1, 1, 1, 1, -1, 0, 0, 0, 0]


def test_batches_are_balanced_and_use_all_rows_before_one_comes_again():
    torch.manual_seed(0)
    labels = torch.tensor([0] * 8 + [3] * 4 + [5] * 6)
    found = balanced(labels, 6, 2, 4)
    assert found.shape == (6, 8)
    for batch in found:
        classes, often = labels[batch].unique(return_counts=True)
        assert len(classes) == 2 and often.tolist() == [4, 4]
    for of in (0, 3, 5):
        rows = found.flatten()[labels[found.flatten()] == of]
        size = int((labels == of).sum())
        if len(rows) >= size:
            assert len(rows[:size].unique()) == size
    few = balanced(labels, 5, 4, 2)  # of three classes one comes twice
    assert few.shape == (5, 8) and all((labels[batch].bincount() % 2 == 0).all() for batch in few)


def test_learners_have_turns_of_equal_number():
    torch.manual_seed(0)
    assigned = torch.tensor([0] * 24 + [1] * 8 + [-1] * 4)
    batches = in_turns(assigned, torch.arange(36) % 2, 8, 4)
    assert [assigned[batch].unique().tolist() for batch in batches] == [[0], [1]] * 3
    assert all((torch.arange(36) % 2)[batch].sum() == 4 for batch in batches)


def test_what_clusters_tell_is_the_mutual_information():
    labels = torch.tensor([0, 0, 0, 0, 2, 2, 2, 2])
    z = torch.tensor([[0.0], [0.1], [0.2], [9.0], [9.1], [9.2], [9.1], [9.0]])
    parted = (z[:, 0] > 5).long()
    torch.manual_seed(0)
    assert told(z, labels) == pytest.approx(nmi(contingency(parted, labels // 2)))
    assert told(z, torch.zeros(8, dtype=torch.int64)) == 1.0


def test_patience_ends_after_epochs_without_a_rise_and_begins_with_the_next():
    patience = Patience(2)
    assert [patience.over(number) for number in (0.5, 0.4, 0.5)] == [False, False, True]
    patience.rest()
    assert [patience.over(number) for number in (0.5, 0.1, 0.6, 0.6, 0.2)] == [False, False, False, False, True]


def test_a_batch_moves_its_learners_dimensions_and_those_held_out_none():
    method, x, labels = made(learners=2), sine(40, 4, 3, 3, rate=0.7), torch.arange(40) % 4
    first = method.before_epoch(None)
    assert torch.cat(list(first.batches)).unique().tolist() == list(range(40))
    for rows in first.batches:
        batch = Batch([x[rows]], rows, labels=labels[rows])
        method.step(batch)
        method.after_step(batch)
    assert torch.equal(method.members.label, labels) and int(method.members.held.sum()) == 8
    assert method.subspaces.importance.any()

    def embed(how):
        return how(Batch([x], torch.arange(40))).detach()

    plan = method.before_epoch(embed)
    assert not method.members.joint and not method.subspaces.importance.any()
    assert torch.equal(method.members.assigned[method.members.held], torch.full((8,), -1))
    for rows in plan.batches[:2]:
        cluster = method.members.assigned[rows].unique()
        assert len(cluster) == 1
        method.zero_grad()
        batch = Batch([x[rows]], rows, labels=labels[rows])
        method.step(batch).backward()
        moved = method.subspaces.weight.grad.abs().sum(1) > 0
        assert torch.equal(moved, method.subspaces.owner == cluster)
        method.after_step(batch)
        assert torch.equal(batch.kept["mattered"].any(0), moved)
    method.progress = 0.9
    plan = method.before_epoch(embed)
    assert method.members.joint and {int(c) for rows in plan.batches for c in method.members.assigned[rows]} == {0}


def test_a_learner_comes_when_what_is_held_out_tells_no_more():
    method, x = made(), sine(40, 4, 3, 3, rate=0.7)
    method.members.label.copy_(torch.arange(40) % 4)
    method.before_epoch(None)

    def embed(how):
        return how(Batch([x], torch.arange(40))).detach()

    counts = []
    for _ in range(4):
        method.subspaces.importance.copy_(sine(16, rate=0.7))
        method.before_epoch(embed)
        counts.append(method.subspaces.learners)
    assert counts == [1, 1, 2, 2] and not method.members.patience.waits  # the same is told after each
    assert method.members.assigned.max() == 1  # since the second epoch after that, as every second one


def test_wrong_numbers_are_named():
    with pytest.raises(TacitError, match="learners is 5, of 4 dimensions"):
        made(dim=4, learners=5)
    with pytest.raises(TacitError, match="held_out is 2"):
        made(held_out=2.0)
