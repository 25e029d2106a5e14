"""SCGC against the official code (gayanku/SCGC@886ec27, models.py and train.py: SCGC, SCGC_TRIM, get_feature_dis, Ncontrast,
target_distribution), whose losses and norms of gradients on these tensors and weights these are."""

import numpy as np
import pytest
import torch

from tacit.check import Case
from tacit.encoders.node_autoencoder import NodeAutoencoder
from tacit.errors import TacitError
from tacit.evaluation.labelled.clustering import contingency, nmi
from tacit.method import Batch, Facts
from tacit.methods.clustering.scgc import SCGC
from tests.contracts.toys import toy
from tests.methods.fixed import wave
from tests.parts.test_neighbourhood import small

N, F, D, K = 10, 7, 4, 3
FACTS = Facts("graph", N, (F,), {"signed": False})
AHEAD = [7.160803795, 5.032620907, 1.669629455, 1.394412994]
BACK = [2.461110115, 0.568296373, 0.185496166, 0.111400366]
# by options: loss, its terms, gradients of the matrices of encoder and decoder, and of the centres
OFFICIAL = [
    ({}, 1.781939387, (2.357006550, 0.000907630, 0.603345394), AHEAD, BACK),
    (
        {"sharpness": 2.25, "orders": (3,)},
        1.884612560,
        (2.562352896, 0.000907630, 0.603345394),
        [6.987766266, 4.920406818, 1.644401312, 1.393597841],
        BACK,
    ),
    (
        {"alpha": 1.0, "reconstruction": 0.0, "orders": (1, 2, 3)},  # SCGC*
        1.255463004,
        (1.255372286, 0.000907630),
        [0.120037638, 0.077471696, 0.020918230, 0.005008113],
        [],
    ),
]
CENTRES = 0.000487633195


def batch() -> Batch:
    words = (wave(N, F, turn=1.7) > 0.2).float()
    view = small()._replace(x=words / words.sum(1, keepdim=True))  # as views scale them
    return Batch([view], torch.arange(N))


def built(**options) -> SCGC:
    method = SCGC(NodeAutoencoder(FACTS, widths=(5, 4, 6), width=D), clusters=K, **options)
    with torch.no_grad():
        for part in (method.encoder.layers, method.encoder.back):
            for i, p in enumerate(part.parameters()):
                p.copy_(wave(*p.shape, turn=0.7 + 0.13 * i) * (1.5 if p.ndim == 2 else 0.1))
        method.centres.points.copy_(wave(K, D, turn=0.9))
    return method


def norms(module) -> list[float]:
    return [float(p.grad.norm()) for p in module.parameters() if p.grad is not None and p.ndim == 2]


@pytest.mark.parametrize(("options", "loss", "terms", "ahead", "back"), OFFICIAL)
def test_loss_and_gradient_are_those_of_the_official_code(options, loss, terms, ahead, back):
    method = built(**options)
    found = method.step(batch())
    assert [value.item() for value, _ in found.values()] == pytest.approx(terms, rel=1e-4)
    total = sum(value * weight for value, weight in found.values())
    total.backward()
    assert total.item() == pytest.approx(loss, rel=1e-5)
    assert norms(method.encoder.layers) == pytest.approx(ahead, rel=1e-4)
    assert norms(method.encoder.back) == pytest.approx(back, rel=1e-4)
    assert method.centres.points.grad.norm().item() == pytest.approx(CENTRES, rel=1e-3)


def test_a_nodes_cluster_is_its_nearest_centre():
    method = built()
    (view,) = batch()
    gaps = torch.cdist(method.encoder(view), method.centres.points)
    assert method.predict(view).tolist() == gaps.argmin(1).tolist() == [2, 1, 2, 2, 2, 2, 2, 2, 2, 2]


def test_clusters_come_nearer_to_fields_by_neighbourhoods_and_not_by_features():
    """On papers whose words are more of styles than of fields."""
    found = {}
    for alpha in (0.0, 0.5):
        case = Case(SCGC, toy("scgc"), alpha=alpha, epochs=120)
        trained = case.train()
        with torch.no_grad():
            guess = trained.method.centres(trained.embed()).argmax(1)
        found[alpha] = nmi(contingency(guess, torch.from_numpy(case.materials["main"].samples.labels)))
        assert len(guess.unique()) == 4  # no cluster was lost
    assert found[0.5] > found[0.0] + 0.1, found


def test_the_warm_up_can_be_left_out():
    case = Case(SCGC, toy("scgc"), warm_up=0)
    assert [stage.method.__name__ for stage in SCGC.stages(warm_up=0, clusters=2)] == ["SCGC"]
    assert case.train(steps=1).embed().shape == (1280, 16)


def test_mistakes_are_named():
    encoder = NodeAutoencoder(FACTS, widths=(5,), width=D)
    with pytest.raises(TacitError, match="none may be below 0"):
        SCGC(encoder, alpha=-1.0)
    with pytest.raises(TacitError, match="orders is 0"):
        SCGC(encoder, orders=(0, 1))
    method = SCGC(encoder, clusters=20)
    with pytest.raises(TacitError, match="20 clusters for 10 samples"):
        method.before_epoch(lambda: torch.from_numpy(np.eye(N, D, dtype=np.float32)))
