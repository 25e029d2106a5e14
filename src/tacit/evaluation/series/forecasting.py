"""What a representation of a window tells of the values that follow: ridge regression, as TS2Vec's protocol has it."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tacit.evaluation.intervals import jackknife
from tacit.evaluation.number import Number, missing

HORIZONS = (24, 48, 168)
PENALTIES = (0.1, 1.0, 10.0, 100.0, 1_000.0, 10_000.0, 100_000.0)  # among which the part for choosing decides
BLOCKS = 10  # of neighbouring windows, left out in turn for the interval
FEWEST = 20  # windows of a part by which something is fitted or judged
UNITS = "units of each channel's standard deviation over the training part"


class Seen(NamedTuple):
    """Windows of one part of a series, in order of time."""

    features: Tensor  # n × d
    ends: Tensor  # int64, n: the moment that follows each window
    limit: int  # the moment at which the part ends


def forecasts(parts: Mapping[str, Seen], series: Tensor, horizons: tuple[int, ...] = HORIZONS) -> list[Number]:
    """Errors of ridge regression from features to the next values of every channel, by horizon: MSE, then MAE.

    parts   "train" to fit, "val" to choose the penalty by (else the last fifth of train), "test" to judge by
    series  T × channels, standardised by the training part; NaN where a value is missing: such windows are not fitted on

    Yue et al. 2021 (arXiv:2106.10466, section 4.2): a linear model with a penalty chosen on the validation part. No window
    and no target crosses the end of its part.
    """
    found: list[Number] = []
    for horizon in horizons:
        asked = {name: _with_targets(part, series, horizon) for name, part in parts.items()}
        found += _judged(horizon, asked)
    return found


def persistence(part: Seen, series: Tensor, horizons: tuple[int, ...] = HORIZONS) -> list[Number]:
    """The same errors of saying that the last value stays."""
    found: list[Number] = []
    for horizon in horizons:
        _, target = _with_targets(part, series, horizon)
        if len(target) < FEWEST:
            found += _too_short(horizon)
        else:
            last = series[part.ends[: len(target)] - 1].repeat(1, horizon).nan_to_num(0)
            found += _errors(horizon, last, target, {"said": "the last value stays"})
    return found


def _with_targets(part: Seen, series: Tensor, horizon: int) -> tuple[Tensor, Tensor]:
    """The windows that are followed by so many moments of their part, and these, n × (horizon · channels)."""
    whole = part.ends + horizon <= part.limit
    ends = part.ends[whole]
    return part.features[whole].float(), series[ends[:, None] + torch.arange(horizon)].flatten(1).float()


def _judged(horizon: int, asked: Mapping[str, tuple[Tensor, Tensor]]) -> list[Number]:
    (x, y), (u, v) = asked["train"], asked["test"]
    full = y.isfinite().all(1)
    x, y = x[full], y[full]
    chooses = asked.get("val", (x[:0], y[:0]))
    if len(chooses[0]) < FEWEST:
        cut = len(x) - len(x) // 5
        chooses, (x, y) = (x[cut:], y[cut:]), (x[:cut], y[:cut])
    if min(len(x), len(u), len(chooses[0])) < FEWEST:
        return _too_short(horizon)
    if not (x.isfinite().all() and u.isfinite().all()):
        why = "some embeddings are not finite."
        return [missing(f"forecast_{error}_{horizon}", why) for error in ("mse", "mae")]
    mean, std = x.mean(0), x.std(0, correction=0)
    scaled = [(part - mean) / torch.where(std > 1e-6, std, 1) for part in (x, chooses[0], u)]
    middle = y.mean(0)
    values, vectors = torch.linalg.eigh((scaled[0].T @ scaled[0]).double())
    projected = vectors.T @ (scaled[0].T @ (y - middle)).double()
    turned = [(part.double() @ vectors).float() for part in scaled[1:]]

    def told(rows: Tensor, penalty: float) -> Tensor:
        return rows @ (projected / (values.clamp_min(0) + penalty)[:, None]).float() + middle

    errors = [float((told(turned[0], penalty) - chooses[1]).square().nanmean()) for penalty in PENALTIES]
    penalty = PENALTIES[int(np.argmin(errors))]
    protocol = {
        "train": len(x),
        "penalty": penalty,
        "chosen by": "the val part" if "val" in asked else "the last fifth of train",
    }
    return _errors(horizon, told(turned[1], penalty), v, protocol)


def _errors(horizon: int, told: Tensor, came: Tensor, protocol: Mapping[str, object]) -> list[Number]:
    """MSE and MAE of test windows, with intervals over blocks of neighbouring ones, which are not independent."""
    wrong = told - came
    found = []
    for name, errors in (("mse", wrong.square()), ("mae", wrong.abs())):
        each = errors.nanmean(1).double().numpy()
        each = each[np.isfinite(each)]
        blocks = np.array_split(each, BLOCKS)
        left_out = np.array([np.concatenate([*blocks[:b], *blocks[b + 1 :]]).mean() for b in range(BLOCKS)])
        interval = f"jackknife over {BLOCKS} blocks of neighbouring windows, 95 %"
        told_by = {"test": len(each), "horizon": horizon, "units": UNITS, "interval": interval, **protocol}
        value = float(each.mean())
        found.append(Number(f"forecast_{name}_{horizon}", value, *jackknife(value, left_out), told_by))
    return found


def _too_short(horizon: int) -> list[Number]:
    why = f"fewer than {FEWEST} windows are followed by {horizon} moments of their own part."
    return [missing(f"forecast_{error}_{horizon}", why) for error in ("mse", "mae")]
