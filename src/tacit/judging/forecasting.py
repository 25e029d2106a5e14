"""What `tacit evaluate` adds for time series: one nearest neighbour; of one long series forecasts and anomalies."""

from typing import Any

import torch
from torch import Tensor

from tacit.data.samples import Samples
from tacit.data.series.samples import SeriesSamples
from tacit.evaluation.comparison import Evaluation
from tacit.evaluation.number import Number
from tacit.evaluation.series.anomaly import anomaly_numbers, window_scores
from tacit.evaluation.series.forecasting import Seen, forecasts, persistence
from tacit.evaluation.series.nearest import one_nearest
from tacit.representing import Represent, features, representations
from tacit.run import Run
from tacit.views.kinds import Plain

MOST = 4000  # windows of a part


def series_numbers(run: Run, samples: SeriesSamples, train: Samples, test: Samples) -> dict[str, list[Number]]:
    """By representation, and by the baselines that need none, what the field of time series measures."""
    if samples.long is None:
        if train.labels is None or test.labels is None or not (test.labels >= 0).any() or not (train.labels >= 0).any():
            return {}
        return {name: [_one_nearest(run, represent, train, test)] for name, represent in representations(run).items()}
    series = standardised(run, samples)
    windows = samples.windows(samples.long.window, 1)
    named = set() if windows.splits is None else set(windows.splits.tolist())
    parts = {name: thinned(windows.split(name)) for name in ("train", "val", "test") if name in named}
    if not {"train", "test"} <= parts.keys():
        return {}
    found: dict[str, list[Number]] = {}
    for name, represent in representations(run).items():
        seen = {part: _seen(run, represent, of) for part, of in parts.items()}
        found[name] = forecasts(seen, series)
        if samples.long.anomaly is not None:
            scores = window_scores(seen["train"].features, seen["test"].features)
            starts = torch.from_numpy(parts["test"].starts)
            found[name] += anomaly_numbers(scores, starts, samples.long.window, torch.from_numpy(samples.long.anomaly))
    found["persistence"] = persistence(seen["test"], series)
    return found


def advice(evaluation: Evaluation) -> list[str] | None:
    """What to try next, from the forecasts; None where there are none."""
    mine, raw = (evaluation.number(name, "forecast_mse_24") for name in ("this encoder", "raw input"))
    if mine is None or raw is None:
        return None
    if mine.value < raw.value:
        return ["Its windows tell the next 24 values better than their own values do: forecast from `run.embed`."]
    return [
        "Its windows tell the next 24 values no better than a ridge regression on their values does: train longer (--epochs), "
        "and look at the views (tacit preview), which may destroy level and trend."
    ]


def standardised(run: Run, samples: SeriesSamples) -> Tensor:
    """The whole series, T × channels, by mean and deviation of what the run was trained on."""
    mean, std = (torch.tensor(run.facts.more[name]) for name in ("mean", "std"))
    values = torch.from_numpy(samples.values[:].astype("float32"))
    return (values - mean) / torch.where(std > 0, std, 1)


def thinned(samples: Any) -> SeriesSamples:
    """At most MOST windows of a part, evenly over time."""
    return samples.take(torch.arange(0, len(samples), -(-len(samples) // MOST)).numpy())


def _seen(run: Run, represent: Represent, samples: SeriesSamples) -> Seen:
    (z,) = features(run, samples, represent, Plain(), 0)
    assert samples.long is not None and samples.splits is not None  # they are windows of parts
    limit = next(part.end for part in samples.long.parts if part.name == samples.splits[0])
    return Seen(z, torch.from_numpy(samples.starts + samples.long.window), limit)


def _one_nearest(run: Run, represent: Represent, train: Samples, test: Samples) -> Number:
    (x,), (y,) = (features(run, part, represent, Plain(), 0) for part in (train, test))
    assert train.labels is not None and test.labels is not None  # `series_numbers` asked
    return one_nearest(x, torch.from_numpy(train.labels), y, torch.from_numpy(test.labels))
