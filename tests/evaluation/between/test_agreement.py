"""Agreement of clusters: the adjusted Rand index against scikit-learn's, and known cases."""

import math

import pytest
import torch
from sklearn.metrics import adjusted_rand_score

from tacit.errors import TacitError
from tacit.evaluation.between.agreement import cluster_agreement
from tacit.evaluation.labelled.clustering import ari, contingency


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("seed", range(8))
def test_adjusted_rand_equals_scikit_learn(seed):
    g = torch.Generator().manual_seed(seed)
    a = torch.randint(1 + seed, (50,), generator=g)
    b = torch.where(torch.rand(50, generator=g) < 0.5, 2 * a, torch.randint(9, (50,), generator=g))
    assert ari(contingency(a, b)) == pytest.approx(adjusted_rand_score(a.numpy(), b.numpy()))
    assert ari(contingency(a, b)) == pytest.approx(ari(contingency(b, a)))


def test_adjusted_rand_of_degenerate_clusterings():
    one, single = torch.zeros(6, dtype=torch.int64), torch.arange(6)
    assert ari(contingency(one, one)) == ari(contingency(single, single.flip(0))) == 1
    assert ari(contingency(one, single)) == 0


def test_known():
    labels = torch.randint(10, (500,), generator=torch.Generator().manual_seed(0))
    x = 20 * normal(10, 8, seed=1)[labels] + normal(500, 8, seed=2)
    turn = torch.linalg.qr(normal(8, 8, seed=3)).Q
    same = cluster_agreement(x, 5 * x @ turn + 1)
    assert same.value == pytest.approx(1, abs=0.05) and max(same.protocol["stability"]) <= 1
    assert cluster_agreement(x, x).value == 1
    unrelated = cluster_agreement(x, normal(500, 8, seed=4))
    assert abs(unrelated.value) < 0.05 and unrelated.low <= unrelated.value <= unrelated.high


def test_it_repeats_and_leaves_the_generator_alone():
    x, y = normal(200, 4), normal(200, 4, seed=1)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = cluster_agreement(x, y, clusters=4, starts=3)
    assert torch.equal(torch.rand(3), expected)
    assert first == cluster_agreement(x, y, clusters=4, starts=3)
    assert first.value != cluster_agreement(x, y, clusters=4, starts=3, seed=1).value


def test_edges():
    x = normal(30, 4)
    assert "equal" in cluster_agreement(x, torch.ones(30, 4)).why
    assert math.isnan(cluster_agreement(x[:19], x[:19]).value)
    with pytest.raises(TacitError, match="same samples"):
        cluster_agreement(x, x[:29])
    with pytest.raises(TacitError, match="at least 2"):
        cluster_agreement(x, x, clusters=1)
