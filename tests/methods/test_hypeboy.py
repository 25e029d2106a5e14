"""HypeBoy against kswoo97/hypeboy@db108d5.

The numbers are what its own src.py and HNNs.py gave on these tensors, run unchanged but for scatter and the base class of a
layer, which were written anew, on torch 2.15 on a CPU, without dropout. Its losses of filling are sums, ours means.
"""

import numpy as np
import pytest
import torch

from tacit.check import HYPERGRAPH, Case
from tacit.encoders.hypergraph import UniGCNIIEncoder
from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.masked.hypeboy import FeatureReconstruction, HypeBoy
from tacit.views.hypergraph import HypergraphView
from tests.contracts.toys import but
from tests.methods.fixed import fill, wave

NODES, FEATURES, WIDTH = 12, 7, 6
HYPEREDGES = [[0, 1, 2], [2, 3], [3, 4, 5, 6], [6, 7], [1, 7, 8], [0, 11], [9, 10, 11]]
KEPT = [0, 2, 3]
FACTS = Facts("hypergraph", NODES, (FEATURES,))

# loss, gradients' norms of the encoder's matrices, and of the two heads' (the keys' first)
FILLING = (
    47.231414794921875,
    [0.048322051763534546, 0.0415249839425087, 0.02718185819685459],
    [0.13488703966140747, 0.22859911620616913, 0.005954128224402666, 0.052190862596035004],
)
# loss, gradients' norms of the matrices of encoder and decoder, and of the learned features and embedding
WARM_UP = (
    0.41110241413116455,
    [0.019013406708836555, 0.00964394025504589, 0.00569438049569726],
    [0.12065325677394867, 0.12397925555706024, 0.09903571754693985],
    [0.0013006652006879449, 0.04423641413450241],
)
HIDDEN = [1, 5, 6, 7, 9, 11]  # what the counter hides under the key of `batch`


def batch(hyperedges=HYPEREDGES, rows=None) -> Batch:
    whole = torch.tensor([(node, place) for place, edge in enumerate(hyperedges) for node in edge]).T
    members, edges = whole[:, torch.isin(whole[1], torch.tensor(KEPT))]
    x = (wave(NODES, FEATURES, turn=1.3) > 0.2).float()
    rows = torch.arange(NODES) if rows is None else rows
    return Batch([HypergraphView(x, members, edges, whole, rows, len(hyperedges))], rows, key=3)


def encoder() -> UniGCNIIEncoder:
    built = UniGCNIIEncoder(FACTS, width=WIDTH, dropout=0.0)
    fill(built.parameters())
    return built


def filling() -> HypeBoy:
    method = HypeBoy(encoder())
    fill([*method.key.parameters(), *method.query.parameters()])
    return method


def norms(parameters, scale: float = 1.0) -> list[float]:
    return [scale * float(p.grad.norm()) for p in parameters if p.ndim == 2]


def test_filling_is_the_official():
    loss, of_encoder, of_heads = FILLING
    method, asked = filling(), sum(map(len, HYPEREDGES))
    ours = method.step(batch())
    ours.backward()
    assert asked * float(ours.detach()) == pytest.approx(loss, rel=1e-6)
    assert norms(method.encoder.parameters(), asked) == pytest.approx(of_encoder, rel=1e-4)
    assert norms([*method.key.parameters(), *method.query.parameters()], asked) == pytest.approx(of_heads, rel=1e-4)


def test_warm_up_is_the_official():
    loss, of_encoder, of_decoder, of_vectors = WARM_UP
    method = FeatureReconstruction(encoder())
    method.prepare(FACTS)
    fill(method.decoder.parameters())
    fill([method.no_features, method.no_embedding])
    method.decoder.dropout = 0.0
    ours = method.step(batch())
    ours.backward()
    assert float(ours.detach()) == pytest.approx(loss, rel=1e-6)
    assert norms(method.encoder.parameters()) == pytest.approx(of_encoder, rel=1e-4)
    assert norms(method.decoder.parameters()) == pytest.approx(of_decoder, rel=1e-4)
    assert [float(v.grad.norm()) for v in (method.no_features, method.no_embedding)] == pytest.approx(of_vectors, rel=1e-4)


def test_only_hyperedges_of_two_nodes_or_more_ask_and_only_for_nodes_of_the_batch():
    method = filling()
    whole = float(method.step(batch()).detach())
    assert float(method.step(batch([*HYPEREDGES, [4]])).detach()) == pytest.approx(whole, rel=1e-6)
    asked = [sum(node in edge for edge in HYPEREDGES for node in half) for half in (range(5), range(5, 12))]
    halves = [float(method.step(batch(rows=torch.arange(*ends))).detach()) for ends in ((0, 5), (5, 12))]
    assert np.dot(asked, halves) == pytest.approx(whole * sum(asked), rel=1e-6)


def test_a_batch_that_no_hyperedge_asks_for_has_a_loss_of_zero():
    assert float(filling().step(batch([[0, 1], [2, 3], [4], [1, 2]], rows=torch.tensor([4, 9]))).detach()) == 0


def test_without_warm_up_there_is_one_stage():
    assert [stage.method for stage in HypeBoy.stages(warm_up=0)] == [HypeBoy]
    assert [stage.method for stage in HypeBoy.stages()] == [FeatureReconstruction, HypeBoy]
    assert next(HypeBoy.stages(warm_up=7)).recipe.epochs == 7


@pytest.mark.parametrize("options", [{"hide": 0.0}, {"hide": 1.0}, {"decoder_depth": 0}, {"warm_up": -1}])
def test_mistakes_are_named(options):
    with pytest.raises(TacitError):
        Case(HypeBoy, but(HYPERGRAPH, **options)).first_stage()
