"""What temperatures look at: against a loop, and the two limits."""

import json

import numpy as np
import pytest
import torch

from tacit.errors import TacitError
from tacit.evaluation.unlabelled import temperature as room
from tacit.evaluation.unlabelled.temperature import TEMPERATURES, attention


def features(n=201, d=8, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("temperature", [0.05, 0.5])
def test_it_is_the_naive_loop(temperature, monkeypatch):
    monkeypatch.setattr(room, "CELLS", 1000)  # several tiles
    x = features()
    u = (x / x.norm(dim=1, keepdim=True)).double().numpy()
    numbers, shares = [], []
    for i in range(len(u)):
        weights = np.array([np.exp(u[i] @ u[j] / temperature) for j in range(len(u)) if j != i])
        weights /= weights.sum()
        numbers.append(np.exp(-(weights * np.log(weights)).sum()))
        shares.append(np.sort(weights)[-2:].sum())
    found = attention(x, [temperature])
    assert found.effective[0] == pytest.approx(np.mean(numbers), rel=1e-4)
    assert found.share[0] == pytest.approx(np.mean(shares), rel=1e-4)
    assert (found.negatives, found.nearest, found.anchors) == (200, 2, 201)


def test_low_temperatures_look_at_one_and_high_at_all():
    found = attention(features(), [1e-4, *TEMPERATURES, 1e4])
    assert (np.diff(found.effective) > 0).all() and (np.diff(found.share) < 0).all()
    assert found.effective[0] < 1.2 and found.effective[-1] == pytest.approx(200, rel=1e-4)
    assert found.share[-1] == pytest.approx(0.01, rel=1e-3)


def test_equal_features_are_all_alike_at_any_temperature():
    found = attention(torch.ones(50, 3), [0.02, 2.0])
    assert found.effective == pytest.approx((49, 49)) and found.share == pytest.approx((1 / 49, 1 / 49))
    assert attention(features(2)).effective == pytest.approx((1.0,) * len(TEMPERATURES))


def test_it_is_told_as_a_table_and_as_json():
    found = attention(features(), [0.02, 2.0])
    table = str(found).splitlines()
    assert len(table) == 5 and table[0].split()[0] == "temperature" and table[3].split()[0] == "2"
    assert json.loads(json.dumps(found.as_dict()))["temperatures"] == [0.02, 2.0]


@pytest.mark.parametrize(
    ("x", "temperatures", "said"),
    [
        (features(1), [0.1], "2 finite rows"),
        (features() / 0, [0.1], "2 finite"),
        (features(), [], "no temp"),
        (features(), [0], "above 0"),
    ],
)
def test_mistakes(x, temperatures, said):
    with pytest.raises(TacitError, match=said):
        attention(x, temperatures)
