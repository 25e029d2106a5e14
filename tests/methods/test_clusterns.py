"""ClusterNS against what cl_forward and kmeans_cluster of djz233/ClusterNS@84cbd49 do, written out."""

import pytest
import torch
from torch.nn.functional import cosine_similarity, cross_entropy, one_hot, relu

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.negatives.clusterns import ClusterNS
from tests.methods.fixed import sine


class Width(torch.nn.Module):
    """An encoder that says what it sees."""

    dim = 5

    def forward(self, x):
        return x


def built(**options):
    method = ClusterNS(Width(), temperature=0.1, clusters=3, cluster_rate=0.2, margin=0.5, low=0.05, **options)
    with torch.no_grad():
        method.projector[0].weight.copy_(sine(5, 5, rate=1.1))
        method.projector[0].bias.copy_(sine(1, 5, rate=0.3)[0])
    return method


def looks():
    return [sine(6, 5, rate=0.7).requires_grad_(), (sine(6, 5, rate=0.7) * 0.5 + sine(6, 5, rate=1.3)).requires_grad_()]


def sim(a, b):
    return cosine_similarity(a[:, None], b[None], dim=-1)


def official(z1, z2, centroid):
    """The loss once clusters have begun, and where the centroids are then."""
    cos = sim(z1, z2)
    data = z1.detach()
    members = one_hot(sim(data, centroid).argmax(1), 3).T.float()
    summed = members @ data + centroid * (~members.sum(1).bool())[:, None]
    centroid = 0.2 * summed + 0.8 * centroid
    near = sim(data, centroid)
    hard = centroid[near.topk(2, dim=1).indices[:, 1]]
    mask = (near.argmax(1)[:, None] == near.argmax(1)[None]).float().fill_diagonal_(0)
    delta = (cos - cos.diag()[:, None]) * mask
    bml = (relu(delta + 0.05) + relu(-delta - 0.3)).mean()
    return cross_entropy(torch.cat([cos, sim(z1, hard)], 1) / 0.1, torch.arange(6)) + 0.5 * bml, centroid


def test_loss_gradient_and_centroids_are_the_official():
    method, views = built(), looks()
    method.clusters.begin(sine(6, 5, rate=0.2), torch.eye(6))
    before = method.clusters.centroids.clone()
    batch = Batch(views, torch.arange(6))
    terms = method.step(batch)
    ours = terms["contrast"] + terms["margin"][0] * terms["margin"][1]
    found = torch.autograd.grad(ours, views)
    method.after_step(batch)
    loss, centroids = official(*(method.projector(view) for view in views), before)
    torch.testing.assert_close(ours, loss)
    torch.testing.assert_close(method.clusters.centroids, centroids)
    for got, want in zip(found, torch.autograd.grad(loss, views)):
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


def test_until_a_batch_is_unlike_enough_it_is_simcse():
    method, views = built(start=-1.0), looks()
    batch = Batch(views, torch.arange(6))
    terms = method.step(batch)
    z1, z2 = (method.projector(view) for view in views)
    torch.testing.assert_close(terms["contrast"], cross_entropy(sim(z1, z2) / 0.1, torch.arange(6)))
    method.after_step(batch)
    assert terms.keys() == {"contrast"} and not method.clusters.begun
    method.start = 1.0
    method.after_step(batch)
    assert method.clusters.begun
    assert all((z1 == c).all(1).any() for c in method.clusters.centroids)
    assert method.step(batch).keys() == {"contrast", "margin"}


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="2 clusters or more"):
        ClusterNS(Width(), clusters=1)
