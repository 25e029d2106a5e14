"""ClusterNS against djz233/ClusterNS@84cbd49.

The numbers are what its own cl_forward and kmeans_cluster (with momentum, without prompts) gave on these tensors.
"""

import pytest
import torch
from torch.nn.functional import cosine_similarity, cross_entropy

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.negatives.clusterns import ClusterNS
from tests.methods.fixed import sine

LOSS, NORM = 7.1948137283325195, 4.021176338195801  # and of the gradient's rows, 0 of the first look and 1 of the second
ROW0 = [-0.1661396026611328, -1.1428828239440918, -0.8706747889518738, 0.35301336646080017, 1.1909257173538208]
ROW1 = [-0.5258378982543945, 0.5995948314666748, 1.0697855949401855, 0.37090644240379333, -0.7333022356033325]
CENTROIDS = [  # after the step
    [0.8414709568023682, 0.9320390820503235, 0.9854497909545898, 0.9995735883712769, 0.9738476276397705],
    [-0.5563605427742004, 0.07648538053035736, 0.7199711203575134, 1.0317474603652954, 1.1669782400131226],
    [1.254259705543518, 1.076762080192566, 0.5933406352996826, 0.24164649844169617, -0.025049805641174316],
]


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


def test_loss_gradient_and_centroids_are_the_official():
    torch.manual_seed(0)  # which row is the first centroid
    method, views = built(), looks()
    method.clusters.begin(sine(6, 5, rate=0.2), torch.eye(6))
    batch = Batch(views, torch.arange(6))
    terms = method.step(batch)
    ours = terms["contrast"] + terms["margin"][0] * terms["margin"][1]
    first, second = torch.autograd.grad(ours, views)
    method.after_step(batch)
    assert float(ours.detach()) == pytest.approx(LOSS, rel=1e-5)
    assert float(torch.cat([first, second]).norm()) == pytest.approx(NORM, rel=1e-4)
    torch.testing.assert_close(first[0], torch.tensor(ROW0), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(second[1], torch.tensor(ROW1), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(method.clusters.centroids, torch.tensor(CENTROIDS), rtol=1e-4, atol=1e-5)


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
