"""Anomalies by distance to the training windows."""

import math

import torch

from tacit.evaluation.series.anomaly import anomaly_numbers, window_scores


def test_scores_are_mean_distances():
    train = torch.tensor([[0.0], [1.0], [3.0], [100.0]])
    assert torch.allclose(window_scores(train, torch.tensor([[1.0], [4.0]]), 2), torch.tensor([0.5, 2.0]))


def test_windows_that_hold_something_unusual_and_where_the_highest_score_lies():
    unusual = torch.zeros(1000, dtype=torch.bool)
    unusual[500:505] = True
    starts = torch.arange(0, 981)
    scores = -(starts + 10 - 502).abs().float()
    auroc, found = anomaly_numbers(scores, starts, 20, unusual)
    assert auroc.value > 0.9999 and found.value == 1 and auroc.protocol["unusual"] == 24
    auroc, found = anomaly_numbers(-scores, starts, 20, unusual)
    assert auroc.value < 0.0001 and found.value == 0 and found.protocol["moments beside"] > 100
    assert math.isnan(anomaly_numbers(scores, starts, 20, torch.zeros(1000, dtype=torch.bool))[0].value)
