"""ClusterFit against facebookresearch/vissl@09270ed: CLUSTERS is how its own `cluster_features`
(tools/cluster_features_and_label.py, with faiss) parted these features, whose lengths differ ninetyfold."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from tacit.errors import TacitError
from tacit.method import Batch, Facts, Trained
from tacit.methods.clustering.clusterfit import ClusterFit, Teacher, clustered
from tacit.numerics.kmeans import kmeans
from tests.methods.fixed import D, Identity, N, sine, wave

CLUSTERS = [1, 0] * 12


def features():
    directions = torch.eye(5)[[0, 1] * 12] + 0.2 * sine(24, 5, rate=0.7)
    return directions * torch.linspace(0.1, 9, 24)[:, None]


def parted(labels) -> torch.Tensor:
    """Which rows lie in one cluster, whatever it is called."""
    labels = torch.as_tensor(labels)
    return labels[:, None] == labels


def test_directions_are_clustered_as_by_the_official_code():
    torch.manual_seed(0)
    assert torch.equal(parted(clustered(features(), 2)), parted(CLUSTERS))
    assert not torch.equal(parted(kmeans(features(), 2)[0]), parted(CLUSTERS))  # which lengths would have spoilt


def test_a_fresh_encoder_is_taught_the_clusters_of_the_first_one():
    torch.manual_seed(0)
    story = ClusterFit.stages(clusters=2)
    stage = next(story)
    assert stage.method is Teacher
    stage = story.send(Trained(Teacher(Identity()), features))
    assert stage.method is ClusterFit and stage.encoder == "fresh"
    assert torch.equal(parted(stage.options["codes"]), parted(CLUSTERS))
    with pytest.raises(StopIteration):
        story.send(None)


def test_a_step_is_cross_entropy_with_the_clusters_and_reaches_every_parameter():
    codes = torch.tensor([0, 2, 1, 1, 0, 2, 2, 0, 1, 2])
    method = ClusterFit(Identity(), codes=codes)
    method.prepare(Facts("vector", 10))
    x, index = wave(N, D, turn=0.9), torch.arange(N) + 2
    assert method.head.out_features == 3 and torch.equal(method.state_dict()["assigned"], codes)
    loss = method.step(Batch([x], index))
    torch.testing.assert_close(loss, cross_entropy(method.head(x), codes[index]))
    loss.backward()
    assert all(p.grad is not None and p.grad.any() for p in method.parameters())


def test_more_clusters_than_samples_are_refused():
    with pytest.raises(TacitError, match="clusters is 25; give from 2 to the 24"):
        clustered(features(), 25)
    with pytest.raises(TacitError, match="clusters is 0"):
        next(ClusterFit.stages(clusters=0))
