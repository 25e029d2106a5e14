"""The claims of heads that learn from a few labels: their rules, and what they compute by themselves."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

from tacit import claims
from tacit.claims.claim import Found
from tacit.claims.embedded import Embedded
from tacit.claims.few_labels.core_tuning import contrasted, supervised, width
from tacit.claims.few_labels.sea import WAYS, Learning
from tacit.evaluation.labelled.fine_tuning import Part

FOR = {  # by arm, measures that speak for the claim
    "sea": {
        f"{name}, {each} labels": {"accuracy": value + each / 10}
        for each in (10, 50)
        for name, value in (("as is", 40), ("not projected", 38), ("SeA", 44))
    },
    "core_tuning": {
        "cross-entropy": {"accuracy": 40, "width": 0.9},
        "with plain contrast": {"accuracy": 41, "width": 0.7},
        "core-tuning": {"accuracy": 44, "width": 0.6},
    },
}
BROKEN = [
    ("sea", "as is, 10 labels", {"accuracy": 45}, "SeA is above the same head without it, 10"),
    ("sea", "as is, 50 labels", {"accuracy": 50}, "SeA is above the same head without it, 50"),
    ("sea", "not projected, 10 labels", {"accuracy": 45}, "SeA is above a push that is not projected, 10"),
    ("sea", "not projected, 50 labels", {"accuracy": 50}, "SeA is above a push that is not projected, 50"),
    ("core_tuning", "cross-entropy", {"accuracy": 44, "width": 0.9}, "core-tuning is above cross-entropy"),
    ("core_tuning", "with plain contrast", {"accuracy": 45, "width": 0.7}, "it is above cross-entropy with a plain"),
    ("core_tuning", "cross-entropy", {"accuracy": 40, "width": 0.5}, "its classes are narrower"),
]


def found(key: str, numbers: dict[str, dict[str, float]]) -> Found:
    """Made-up measurements under all seeds, a little different under each."""
    claim = claims.find(key)
    arms = {
        arm: [{m: v + 0.01 * np.sin(7 * place + 3 * seed) for m, v in named.items()} for seed in range(claim.seeds)]
        for place, (arm, named) in enumerate(numbers.items())
    }
    return Found(arms, claim.metric)


@pytest.mark.parametrize("key", FOR)
def test_numbers_that_speak_for_a_claim_meet_all_conditions(key):
    assert sorted(FOR[key]) == sorted(claims.find(key).arms)
    met = claims.find(key).rule(found(key, FOR[key]))
    assert met and all(met.values()), met


@pytest.mark.parametrize(("key", "arm", "value", "broken"), BROKEN)
def test_each_condition_can_be_broken_by_its_own(key, arm, value, broken):
    met = claims.find(key).rule(found(key, FOR[key] | {arm: value}))
    (said,) = [said for said in met if said.startswith(broken)]
    assert not met[said]


def test_arms_of_sea_learn_from_the_same_labels_and_are_judged_on_the_test_part(monkeypatch):
    torch.manual_seed(0)
    y = torch.arange(120) % 3
    x = 6 * torch.eye(12)[y] + torch.randn(120, 12)
    data = Embedded(x[:80], y[:80], x[80:], y[80:])
    monkeypatch.setattr("tacit.claims.few_labels.sea.encoded", lambda seed, quick: data)
    told = {name: Learning(5, *way).measure(0, quick=True) for name, way in WAYS.items()}
    assert told["as is"]["accuracy"] > 90 and all(found["rate"] in (0.4, 1.6, 6.4) for found in told.values())
    assert Learning(5, *WAYS["SeA"]).measure(0, quick=True) == told["SeA"]


def test_the_plain_contrast_by_a_loop():
    z = normalize(torch.sin(torch.arange(24.0).view(6, 4)), dim=1)
    y = torch.tensor([0, 1, 0, 1, 0, 2])  # the last has no positive
    each = []
    for i in range(5):
        others = [j for j in range(6) if j != i]
        total = torch.stack([z[i] @ z[j] / 0.07 for j in others]).logsumexp(0)
        each.append(-torch.stack([z[i] @ z[j] / 0.07 - total for j in others if y[j] == y[i]]).mean())
    assert float(supervised(z, y)) == pytest.approx(float(torch.stack(each).mean()), rel=1e-5)


def test_the_width_of_classes_by_hand():
    features = torch.tensor([[0.0, 1.0], [0.0, -1.0], [4.0, 2.0], [4.0, -2.0]])
    assert width(features, torch.tensor([7, 7, 3, 3])) == pytest.approx(1.5 / 4)


def test_tuning_with_the_plain_contrast_learns():
    torch.manual_seed(0)
    y = torch.arange(64) % 2
    x = 2 * torch.eye(4)[y] + torch.randn(64, 4)
    part = Part(lambda rows: x[torch.from_numpy(rows)], y.numpy())
    model = contrasted(nn.Linear(4, 6), part, np.arange(64), 3e-3, 60, seed=0)
    with torch.no_grad():
        assert float((model(x).argmax(1) == y).float().mean()) > 0.85
