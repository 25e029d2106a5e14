"""Forecasting probes: against a naive fit, without looking beyond a part's end."""

import math

import numpy as np
import pytest
import torch

from tacit.evaluation.series.forecasting import PENALTIES, Seen, forecasts, persistence

LENGTH, WINDOW = 900, 16
GENERATOR = torch.Generator().manual_seed(0)
TIME = torch.arange(LENGTH, dtype=torch.float32)
SERIES = torch.stack([torch.sin(TIME / 4), torch.cos(TIME / 7)], 1) + 0.1 * torch.randn(LENGTH, 2, generator=GENERATOR)
PARTS = {"train": (0, 500), "val": (500, 700), "test": (700, 900)}


def seen(series=SERIES):
    parts = {}
    for name, (begin, end) in PARTS.items():
        starts = torch.arange(begin, end - WINDOW + 1)
        parts[name] = Seen(series[starts[:, None] + torch.arange(WINDOW)].flatten(1), starts + WINDOW, end)
    return parts


def by_hand(parts, horizon):
    def pairs(part):
        rows = [i for i, e in enumerate(part.ends.tolist()) if e + horizon <= part.limit]
        return part.features[rows].double().numpy(), np.stack(
            [SERIES[e : e + horizon].double().numpy().ravel() for e in part.ends[rows].tolist()]
        )

    (x, y), (u, v), (s, t) = (pairs(parts[name]) for name in ("train", "val", "test"))
    mean, std = x.mean(0), x.std(0)
    x, u, s = ((part - mean) / std for part in (x, u, s))
    best = (math.inf, None)
    for penalty in PENALTIES:
        weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ (y - y.mean(0)))
        error = np.square(u @ weights + y.mean(0) - v).mean()
        best = min(best, (error, penalty, np.square(s @ weights + y.mean(0) - t).mean()))
    return best


def test_ridge_by_hand():
    found = {n.name: n for n in forecasts(seen(), SERIES, (8, 24))}
    for horizon in (8, 24):
        _, penalty, error = by_hand(seen(), horizon)
        number = found[f"forecast_mse_{horizon}"]
        assert number.value == pytest.approx(error, rel=1e-3) and number.protocol["penalty"] == penalty
        assert number.low < number.value < number.high
        assert number.protocol["test"] == 200 - WINDOW - horizon + 1


def test_nothing_beyond_the_part_is_used():
    other = SERIES.clone()
    other[900 - 24 :] = 99.0  # the end of test: targets, never features of training
    first, second = (forecasts(seen(), s, (24,))[0] for s in (SERIES, other))
    assert second.value > first.value and second.protocol["penalty"] == first.protocol["penalty"]
    beyond = SERIES.clone()
    beyond[500:516] = 50.0  # the beginning of val: no target of a training window
    parts = seen()
    without = {name: part for name, part in parts.items() if name != "val"}
    a, b = (forecasts(without, s, (24,))[0].value for s in (SERIES, beyond))
    assert a == pytest.approx(b, rel=1e-6)


def test_persistence_says_the_last_value():
    parts = seen()
    found = persistence(parts["test"], SERIES, (8,))[0].value
    ends = [e for e in parts["test"].ends.tolist() if e + 8 <= 900]
    by_loop = np.mean([np.square((SERIES[e - 1] - SERIES[e : e + 8]).numpy()).mean() for e in ends])
    assert found == pytest.approx(float(by_loop), rel=1e-5)


def test_what_is_too_short_says_so():
    assert (
        math.isnan(forecasts(seen(), SERIES, (190,))[0].value)
        and "190 moments" in persistence(seen()["test"], SERIES, (190,))[0].why
    )


def test_missing_targets_are_left_out():
    gappy = SERIES.clone()
    gappy[300, 0] = gappy[800, 1] = float("nan")
    features = seen(SERIES)
    assert forecasts(features, gappy, (8,))[0].value == pytest.approx(forecasts(features, SERIES, (8,))[0].value, rel=0.1)
