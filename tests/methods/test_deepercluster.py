"""DeeperCluster against facebookresearch/DeeperCluster@d38ada1.

Products of whitened rows are those of its own `PCA` and `normalize` (src/utils.py), LABELS those of its own
`distributed_kmeans` from rows 1, 9 and 20, DRAWN how often its own `DistUnifTargSampler` (src/trainer.py, 200 draws of one
process) drew each label of OF; run without a GPU, where they ask for one.
"""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.clustering.deepercluster import DeeperCluster, alike, two_levels
from tacit.numerics.exact import unit
from tacit.numerics.kmeans import assign, lloyd
from tacit.numerics.spectra import whitened
from tests.methods.fixed import sine

PRODUCTS = {  # of the first three rows with the first six, by the number of axes
    4: [
        [1.0, -0.1074826, -0.5843558, 0.0224991, -0.3056174, 0.1512533],
        [-0.1074826, 1.0, -0.1077873, -0.56098, 0.0282165, -0.3101737],
        [-0.5843558, -0.1077873, 1.0, 0.0155043, -0.5704477, 0.0140959],
    ],
    2: [
        [1.0, -0.3396205, -0.2987348, 0.9954205, -0.5715301, -0.7237976],
        [-0.3396205, 1.0, -0.7961563, -0.4279771, 0.9659112, -0.4031832],
        [-0.2987348, -0.7961563, 1.0, -0.2061381, -0.6123743, 0.8747272],
    ],
}
LABELS = [1, 0, 2] * 8
OF, DRAWN = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 3, 3], [50, 50, 50, 50]


class Flat(nn.Module):
    """An encoder that says every pixel."""

    dim = 27

    def forward(self, x):
        return x.flatten(1)


def features():
    """24 × 6, along some of whose directions nothing varies."""
    x = sine(24, 6, rate=0.7) + 0.3 * sine(24, 6, rate=1.9) + 1
    x[:, 2] *= 5
    x[:, 5] = x[:, 0] / 2
    return x


@pytest.mark.parametrize("axes", PRODUCTS)
def test_features_are_whitened_as_by_the_official_code(axes):
    z = unit(whitened(features(), axes))
    assert z.shape == (24, axes)
    torch.testing.assert_close((z @ z.T)[:3, :6], torch.tensor(PRODUCTS[axes]), rtol=1e-4, atol=2e-5)


def test_more_axes_than_there_are_change_nothing():
    torch.testing.assert_close(unit(whitened(features(), 4096))[:, :4], unit(whitened(features(), 4)), rtol=1e-3, atol=1e-3)


def test_clusters_from_given_centroids_are_the_official():
    z = unit(whitened(features(), 4))
    assert assign(z, lloyd(z, z[[1, 9, 20]], 10))[0].tolist() == LABELS


def test_labels_are_drawn_as_often_as_by_the_official_sampler():
    assigned = torch.stack([torch.zeros(len(OF), dtype=torch.int64), torch.tensor(OF)], 1)
    drawn = 200 * alike(assigned)
    assert [round(float(drawn[torch.tensor(OF) == label].sum())) for label in range(4)] == DRAWN


def test_super_clusters_are_drawn_alike_however_many_clusters_they_have():
    weights = alike(torch.tensor([[0, 0], [0, 0], [0, 3], [1, 1]]))
    assert weights.tolist() == [0.25, 0.25, 0.5, 1.0]


def test_there_are_clusters_within_clusters():
    torch.manual_seed(0)
    centres = torch.tensor([[0.0, 0], [0, 1], [9, 0], [9, 1]]).repeat_interleave(5, 0)
    found = two_levels(centres + 0.01 * sine(20, 2, rate=0.7), 2, 2)
    assert len(found.unique(dim=0)) == 4 and found[:, 0].bincount().tolist() == [10, 10]
    assert all(len(found[5 * i : 5 * i + 5].unique(dim=0)) == 1 for i in range(4))


def made(n=8, **options):
    torch.manual_seed(0)
    method = DeeperCluster(Flat(), **{"super_clusters": 2, "clusters": 6, "refresh": 2, **options})
    method.prepare(Facts("image", n, (3, 3, 3)))
    return method


def test_a_step_is_the_mean_of_both_cross_entropies_of_turned_images():
    method, images = made(), sine(5, 3, 3, 3, rate=0.7)
    method.assigned.copy_(torch.tensor([[0, 2], [1, 1], [0, 0], [1, 2], [0, 1], [0, 0], [1, 0], [1, 1]]))
    batch = Batch([images], torch.arange(5) + 1, key=3)
    turns = (batch.uniform("turn", 1)[:, 0] * 4).long().tolist()
    assert len(set(turns)) > 1
    terms: list[list] = [[], []]
    weight, bias = method.heads_within.weight, method.heads_within.bias
    for image, turn, (above, within) in zip(images, turns, method.assigned[1:6].tolist()):
        x, pair = image.rot90(turn, (1, 2)).flatten().relu(), 2 * turn + above
        own = slice(3 * pair, 3 * pair + 3)
        terms[0].append(cross_entropy(method.head(x), torch.tensor(pair)))
        terms[1].append(cross_entropy(weight[own] @ x + bias[own], torch.tensor(within)))
    found = method.step(batch)
    for name, expected in zip(("super_cluster", "cluster"), terms):
        torch.testing.assert_close(found[name], torch.stack(expected).mean())
    (plain,) = torch.autograd.grad(torch.stack(terms[1]).mean(), weight, retain_graph=True)
    (moved,) = torch.autograd.grad(found["cluster"], weight)
    torch.testing.assert_close(moved, 8 * plain)  # as many pairs: a head is moved by the mean over its own images


def test_every_few_epochs_clusters_are_found_and_heads_begin_anew():
    method = made(n=24)
    z, calls = features(), []

    def embed():
        calls.append(1)
        return z

    for epoch in range(4):
        before = method.head.weight.detach().clone()
        plan = method.before_epoch(embed)
        assert len(calls) == epoch // 2 + 1 and plan.weights.shape == (24,)
        assert torch.equal(method.head.weight, before) == (epoch % 2 == 1)
        assert method.renewed == ([] if epoch % 2 else [method.head, method.heads_within])
        method.renewed.clear()
    assert sorted(method.assigned[:, 0].unique().tolist()) == [0, 1]


def test_too_many_clusters_are_refused():
    with pytest.raises(TacitError, match="There are 30 clusters for 12 samples; give --clusters 2"):
        made(n=12, clusters=30)
    with pytest.raises(TacitError, match="clusters is 3"):
        made(clusters=3)
