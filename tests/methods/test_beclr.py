"""BECLR against stypoumic/BECLR@8b33581.

The numbers are what its own DyCE (dyce.py) and BECLRLoss (model/beclr.py) gave on these tensors on current torch: memories of
32 rows in 3 clusters, which begin as the rows' numbers modulo 3, two neighbours, the plan of −distance at 0.1; 4 samples.
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.positives.beclr import BECLR
from tacit.methods.positives.beclr.memory import Clustered
from tacit.objectives.contrast.spread_pairs import spread_pairs
from tacit.objectives.prediction import cosine_distance
from tests.methods.fixed import D, Identity, wave

M, K, N = 32, 3, 4
# turns of what is put in and of the memory; labels of the new rows; the second prototype; three neighbours, by one number
MEMORIES = [
    (0.9, 0.5, [0, 2, 2, 2, 1, 1, 0, 0], [-0.087148, -0.181925, -0.155947, -0.003259, 0.184074, 0.279891],
     [0.78333, -0.76198, 0.36565]),
    (1.3, 0.6, [1, 1, 2, 0, 0, 1, 2, 0], [0.093699, -0.123133, -0.195453, 0.037108, 0.281789, 0.204848],
     [0.96356, -0.92912, 0.3191]),
    (1.7, 0.8, [0, 0, 2, 0, 2, 2, 0, 2], [-0.132809, -0.06923, 0.036342, 0.119867, 0.130686, 0.062231],
     [0.99166, -0.10864, -0.61814]),
]  # fmt: skip
ENLARGED = (0.109404, 0.068344, 0.065524, 0.001285)  # what agrees, what is apart, norms of the gradients by p and z
PLAIN = (0.03328, -0.133261, 0.196573, 0.002034)
P_ROW = [0.004984, -0.01572, -0.001335, 0.006474, -0.011856, -0.008153]


def memory(turn):
    made = Clustered(M, D, K)
    made.rows.copy_(wave(M, D, turn=turn))
    made.labels.copy_(torch.arange(M) % K)
    made.prototypes.copy_(torch.stack([made.rows[made.labels == c].mean(0) for c in range(K)]))
    made.begun.fill_(True)
    return made


def filled():
    """The three memories after what is theirs was put in, and that."""
    rows = [wave(2 * N, D, turn=turn) for turn, *_ in MEMORIES]
    memories = [memory(turn) for _, turn, *_ in MEMORIES]
    for one, new in zip(memories, rows):
        one.put(new, 0.1)
    return memories, rows


def test_clusters_prototypes_and_neighbours_are_the_official():
    for one, new, (_, _, labels, prototype, near) in zip(*filled(), MEMORIES):
        assert one.labels.tolist() == [*labels, *(i % K for i in range(2 * N, M))]
        torch.testing.assert_close(one.prototypes[1], torch.tensor(prototype), rtol=1e-4, atol=1e-5)
        assert one.rows[as_released(one, new[:N]).flatten()][:3, 0].tolist() == pytest.approx(near, abs=1e-4)


def as_released(one, rows):
    """The places that the released code takes: those that the neighbours found have within their cluster, n × 2."""
    found = one.nearest(rows, 2)
    before = torch.stack([(one.labels == c).cumsum(0) - 1 for c in range(K)])
    return before[one.labels[found], found]


def terms(memories, p, z, copied):
    """Both losses of predictions and projections, enlarged as released where there are memories, and the gradients."""
    both = [list(rows.split(N)) for rows in (p, z, copied)]
    if memories:
        both = [
            [torch.cat([view, one.rows[as_released(one, view).flatten()]]) for view in views]
            for views, one in zip(both, memories)
        ]
    (p0, p1), (z0, z1), (t0, t1) = both
    agree, apart = (cosine_distance(p0, t1) + cosine_distance(p1, t0)) / 2, spread_pairs(z0, z1, 2.0)
    return agree - 1, apart, *torch.autograd.grad(agree + 0.1 * apart, (p, z))


@pytest.mark.parametrize(("with_memory", "expected"), [(True, ENLARGED), (False, PLAIN)])
def test_loss_and_gradient_are_the_official(with_memory, expected):
    memories, rows = filled()
    p, z, copied = (row.clone().requires_grad_() for row in rows)
    agree, apart, by_p, by_z = terms(memories if with_memory else [], p, z, copied.detach())
    found = (agree.item(), apart.item(), float(by_p.norm()), float(by_z.norm()))
    assert found == pytest.approx(expected, rel=1e-3, abs=2e-6)
    if with_memory:
        torch.testing.assert_close(by_p[2], torch.tensor(P_ROW), rtol=1e-2, atol=2e-5)


def test_a_batch_is_enlarged_by_the_rows_that_were_found():
    memories, rows = filled()
    method = BECLR(Identity(), dim=D, memory=M, clusters=K, neighbours=2)
    views = list(rows[0].split(N))
    for view, larger in zip(views, method.enlarged(views, memories[0])):
        assert torch.equal(larger[:N], view)
        assert torch.equal(larger[N:].view(N, 2, D), memories[0].rows[memories[0].nearest(view, 2)])


def test_a_step_is_enlarged_once_memories_have_clusters():
    torch.manual_seed(0)
    method = BECLR(Identity(), dim=D, memory=8, clusters=2, neighbours=2, start=0.5)
    looks = Batch([wave(N, D, turn=0.9), wave(N, D, turn=1.3)], torch.arange(N))
    plain = method.step(looks)["agree"].item()
    method.after_step(looks)
    method.before_epoch(None)
    assert all(one.begun for one in method.memories)
    assert method.step(looks)["agree"].item() == pytest.approx(plain)
    method.progress = 0.5
    assert method.step(looks)["agree"].item() != pytest.approx(plain)


def test_clusters_are_found_anew_every_so_many_epochs():
    method = BECLR(Identity(), dim=D, memory=8, clusters=2, neighbours=2, recluster=2)
    for one in method.memories:
        one.push(wave(8, D, turn=0.7))
    seen = []
    for _ in range(4):
        before = [one.prototypes.clone() for one in method.memories]
        method.before_epoch(None)
        seen.append(any(not torch.equal(old, one.prototypes) for old, one in zip(before, method.memories)))
        for one in method.memories:
            one.prototypes.add_(1.0)
    assert seen == [True, False, True, False]


def test_of_a_cluster_that_is_too_small_all_rows_are_asked():
    one = memory(0.5)
    one.labels.fill_(0)
    one.labels[3] = 1
    asked = one.prototypes[1:2] * 1.0
    known = nn.functional.normalize(one.rows)
    best = (nn.functional.normalize(asked) @ known.T).topk(2).indices[0]
    assert torch.equal(one.nearest(asked, 2)[0], best)


@pytest.mark.parametrize("wrong", [{"apart": -1.0}, {"start": 2.0}, {"neighbours": 0}, {"memory": 100, "clusters": 200}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        BECLR(Identity(), **wrong)
