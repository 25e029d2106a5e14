"""Against the official code (BorgwardtLab/fisher_information_embedding@b16f17c, fie/models.py in double precision), which gave
these sums for these features, edges, anchors and points (a feature's components put side by side); and what is interrupted."""

from types import SimpleNamespace

import pytest
import torch
from torch.nn.functional import normalize

from tacit.data.networks.generated import communities
from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.relational.fisher_info_embedding import FisherInfoEmbedding
from tacit.views import Program
from tacit.views.graph import GraphView, GraphViews
from tacit.views.kinds import Plain
from tests.methods.fixed import wave

OFFICIAL = {  # sigma: the sum, the sum of squares, and the product with a wave
    1.0: (95.08026910751357, 78.04149028995789, -3.748553003649861),
    0.5: (-2.096620010105652, 36.93111484607054, -12.060666570003598),
}


def built(n=200, features=256, **options):
    made = FisherInfoEmbedding(**options)
    made.prepare(Facts("graph", n, (features,), {"nodes": n}))
    return made


@pytest.mark.parametrize("sigma", OFFICIAL)
def test_the_embedding_is_that_of_the_official_code(sigma):
    nodes = torch.arange(12)
    edges = torch.cat([torch.stack(ends) for ends in zip((nodes, (nodes + 1) % 12), ((nodes + 1) % 12, nodes))], 1)
    edges = torch.cat([edges, torch.stack([nodes, (3 * nodes + 2) % 12])], 1)
    method = built(12, 7, kernel_width=4, mixtures=3, sigma=sigma)
    method.maps[0].points.copy_(normalize(wave(4, 7, turn=0.9)))
    method.maps[1].points.copy_(normalize(wave(4, 12, turn=1.7)).view(4, 3, 4).transpose(1, 2).reshape(4, 12))
    for layer, shift in enumerate(method.shifts):
        shift.anchors.copy_(normalize(wave(3, 4, turn=1.1 + 0.2 * layer)))
    for kernel_map in method.maps:
        kernel_map.whiten()
    ones = torch.ones(12)
    view = GraphView(normalize(wave(12, 7, turn=0.7)), edges, torch.ones(edges.shape[1]), ones, nodes, nodes, -1)
    z = method.represent(Batch([view], nodes))
    found = z.sum(), z.square().sum(), (z * wave(12, 20, turn=0.3)).sum()
    assert [float(value) for value in found] == pytest.approx(OFFICIAL[sigma], rel=1e-3)


def samples(graph_nodes):
    views = GraphViews.fit(graph_nodes.facts() | graph_nodes.statistics())
    program = Program(Plain(), views)

    def plain(index):
        return Batch(program(graph_nodes.read(index)[0], index, 0)[0], torch.from_numpy(index))

    return SimpleNamespace(plain=plain, n=len(graph_nodes))


def solved(method, source, most=99):
    torch.manual_seed(1)
    with torch.no_grad():
        for done, _ in enumerate(method.solve(source), 1):
            if done == most:
                break
    return method


def test_what_is_interrupted_goes_on_as_if_nothing_had_been():
    source = samples(communities(200))
    options = {"layers": 3, "kernel_width": 16, "mixtures": 2}
    whole, first, second = (built(**options) for _ in range(3))
    solved(whole, source)
    solved(first, source, 1)
    second.load_state_dict(first.state_dict())
    solved(second, source)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


def test_a_part_of_the_graph_says_what_the_whole_says():
    import numpy as np

    nodes = communities(200)
    method = solved(built(kernel_width=16), samples(nodes))
    whole, part = (method.represent(samples(nodes).plain(np.arange(n))) for n in (200, 30))
    assert whole.shape == (200, 48)
    torch.testing.assert_close(whole[:30], part, atol=1e-4, rtol=1e-4)
    assert float((whole - whole.mean(0)).std()) > 0.05


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="give a graph"):
        FisherInfoEmbedding().prepare(Facts("vector", 200, (4,)))
    with pytest.raises(TacitError, match="64 clusters of 50 nodes"):
        built(50)
    method = built(layers=3)
    with pytest.raises(TacitError, match="--hops 3"):
        method.represent(Batch([SimpleNamespace(hops=2)], torch.arange(2)))
