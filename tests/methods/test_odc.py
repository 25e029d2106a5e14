"""ODC against open-mmlab/OpenSelfSup@1db69ec.

The numbers are what its own `ODCMemory` (models/memories/odc_memory.py; momentum 0.5) and `set_reweight`
(models/odc.py) gave on these tensors on one process without a GPU; the loss is that of the criterion that it sets.
"""

import pytest
import torch

from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.clustering.odc import ODC
from tacit.parts.clusters.online import OnlineClusters
from tests.methods.fixed import D, Identity, sine

N, K, WIDTH = 24, 4, 5
INDEX = torch.tensor([0, 1, 2, 3, 14, 15, 20, 9])
MOVED = {
    0: [0.0162227, 0.5436348, 0.5062956, 0.5235564, 0.4168350],
    14: [0.5513855, 0.4498481, 0.1614506, 0.5676709, 0.3811747],
}
LABELS = [0, 0, 3, 3, 0, 1, 1, 1, 1, 2, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3]
CENTROIDS = [
    [0.2719114, 0.5666828, 0.3862140, 0.4259194, 0.4110416],
    [0.4484137, 0.4021404, 0.3740904, 0.3930513, 0.4351843],
    [0.3940662, 0.3137468, 0.4410900, 0.5947550, 0.3531803],
    [0.4565009, 0.5308989, 0.3612241, 0.3704240, 0.3613723],
]
LOSS, GRADIENT = 1.3704837560653687, [-0.14034, 0.0339473, 0.0480947, 0.058298]
BLOBS, SIZE = [0] * 5 + [1] * 5 + [2] * 4 + [3] * 4 + [4] * 6, 5  # where rows lie, and the least size
DISSOLVED = [0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 1, 1, 1, 1, 3, 3, 3, 2, 3, 3, 3, 3, 3, 3]
HALVED = [
    [0.9912299, 0.0809530, 0.0709470, 0.0426066, 0.0420200],
    [0.0718042, 0.0852854, 0.9910390, 0.0320827, 0.0518651],
    [0.0466890, 0.8320515, 0.0623627, 0.2348689, 0.0652932],
    [0.0665138, 0.0757831, 0.0559354, 0.0459017, 0.9909387],
]


def filled() -> OnlineClusters:
    memory = OnlineClusters(N, K, WIDTH, 0.5, 1)
    memory.features.copy_(torch.nn.functional.normalize(sine(N, WIDTH, rate=0.7).abs() + 0.05))
    memory.labels.copy_(torch.tensor([0] * 5 + [1] * 9 + [2] * 4 + [3] * 6))
    memory.recentre()
    memory.update(INDEX, sine(8, WIDTH, rate=1.3).abs())
    return memory


def test_features_move_and_take_the_official_labels():
    memory = filled()
    for row, expected in MOVED.items():
        torch.testing.assert_close(memory.features[row], torch.tensor(expected), rtol=1e-5, atol=1e-6)
    assert memory.labels.tolist() == LABELS and int(memory.steps) == 1
    memory.recentre()
    torch.testing.assert_close(memory.centroids, torch.tensor(CENTROIDS), rtol=1e-5, atol=1e-6)


def test_small_clusters_are_dissolved_and_large_ones_halved_as_in_the_official_code():
    """Which half keeps the number is k-means' own matter: clusters are compared whatever they are called."""
    torch.manual_seed(0)
    memory = OnlineClusters(N, K, WIDTH, 0.5, SIZE)
    memory.features.copy_(torch.nn.functional.normalize(torch.eye(5)[BLOBS] + 0.1 * sine(N, WIDTH, rate=0.7).abs()))
    memory.labels.copy_(torch.tensor([0] * 5 + [1] * 9 + [2] * 4 + [3] * 6))
    memory.recentre()
    memory.dissolve()
    pairs = {*zip(memory.labels.tolist(), DISSOLVED)}
    assert len(pairs) == K
    for mine, official in pairs:
        torch.testing.assert_close(memory.centroids[mine], torch.tensor(HALVED[official]), rtol=1e-5, atol=1e-6)
    before, memory.least = memory.labels.clone(), 1
    memory.dissolve()  # nothing is small
    assert torch.equal(memory.labels, before)


def test_equal_features_are_halved_too():
    memory = OnlineClusters(6, 2, 3, 0.5, 1)
    memory.features.copy_(torch.eye(3)[:1].expand(6, 3))
    memory.dissolve()
    assert memory.sizes().tolist() == [3, 3]


def made(n=N, **options) -> ODC:
    torch.manual_seed(0)
    method = ODC(Identity(), **{"clusters": K, "dim": WIDTH, "hidden": 7, "least_members": 6, "dropped": 0.0, **options})
    method.prepare(Facts("vector", n))
    return method


def test_the_loss_is_weighted_as_the_official_criterion():
    method = made()
    method.memory = filled()
    said = sine(8, K, rate=0.45).requires_grad_()
    method.feature = lambda batch, dropped: torch.zeros(8, WIDTH)  # type: ignore[method-assign]
    method.head.forward = lambda z: said  # type: ignore[method-assign]
    loss = method.step(Batch([sine(8, D, rate=0.7)], INDEX))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(LOSS, rel=1e-5)
    torch.testing.assert_close(said.grad[0], torch.tensor(GRADIENT), rtol=1e-4, atol=1e-6)


def test_clusters_begin_by_k_means_of_features_without_dropout_and_once():
    method, x = made(dropped=0.5), sine(N, D, rate=0.7)
    batch = Batch([x], torch.arange(N), key=1)

    def embed(how):
        return how(batch).detach()

    method.before_epoch(embed)
    z = torch.nn.functional.normalize(method.feature(batch, 0.0).detach())
    torch.testing.assert_close(method.memory.features, z)
    means = torch.stack([z[method.memory.labels == one].mean(0) for one in range(K)])
    torch.testing.assert_close(method.memory.centroids, means)
    method.memory.labels.zero_()
    method.before_epoch(embed)
    assert not method.memory.labels.any()


def test_half_of_the_hidden_units_are_left_out_and_the_others_doubled():
    method = made(dropped=0.5)
    batch = Batch([sine(8, D, rate=0.7)], INDEX, key=1)
    hidden = method.norm(method.first(batch.views[0])).relu()
    kept = batch.uniform("dropped", 7) >= 0.5
    torch.testing.assert_close(method.feature(batch, 0.5), method.second(hidden * kept * 2).relu())


def test_centroids_follow_every_few_batches():
    method, batch = made(recentred=2, least_members=1), Batch([sine(8, D, rate=0.7)], INDEX, key=1)
    method.memory = filled()
    method.memory.least, method.memory.steps = 1, torch.tensor(0)
    before = method.memory.centroids.clone()
    for step in range(2):
        method.step(batch)
        method.after_step(batch)
        assert torch.equal(method.memory.centroids, before) == (step == 0)


def test_too_many_clusters_are_refused():
    with pytest.raises(TacitError, match="Clusters take 24 of the 20 samples"):
        made(n=20)
    with pytest.raises(TacitError, match="dropped is 1"):
        made(dropped=1.0)
