"""What a claim file says: what is compared on what, and the rule, written before the run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from tacit.evaluation.intervals import student

Measures = dict[str, float]  # by name; accuracies in per cent


class Arm(Protocol):
    """One of the things that a claim compares."""

    def measure(self, seed: int, quick: bool) -> Measures:
        """What it reaches; quick: on little generated data, to see that it runs."""
        ...


class Gap(NamedTuple):
    """A mean difference over seeds, paired by seed, with its 95 % interval (Student's t; NaN for a single seed)."""

    value: float
    low: float
    high: float


class Found:
    """What every arm reached under every seed."""

    def __init__(self, arms: Mapping[str, Sequence[Measures]], metric: str):
        self.arms, self.metric = arms, metric

    def values(self, arm: str, metric: str = "") -> np.ndarray:
        """One number per seed, of the claim's metric or of another."""
        return np.array([measured[metric or self.metric] for measured in self.arms[arm]])

    def mean(self, arm: str, metric: str = "") -> float:
        return float(self.values(arm, metric).mean())

    def gap(self, arm: str, other: str, metric: str = "") -> Gap:
        """How far an arm is above another."""
        return interval(self.values(arm, metric) - self.values(other, metric))

    def above(self, arm: str, other: str, metric: str = "") -> bool:
        """Whether it is above beyond doubt: the interval of the difference lies above zero."""
        return self.gap(arm, other, metric).low > 0


def interval(values: np.ndarray) -> Gap:
    """The mean of values over seeds, and its interval."""
    return Gap(float(values.mean()), *student(values))


@dataclass(frozen=True)
class Claim:
    """A row of the catalogue, made small enough to be run by anybody.

    says      what the paper claims
    here      what is run: the data really used and what it stands for, sizes, steps, how it is judged
    arms      what is compared, by name, the baselines first
    metric    of what is measured, the one that is compared
    rule      the conditions in words, and whether each is met; the claim holds where all are
    seeds     how many, from 0
    kinds     of data, whose views and encoders the numbers depend on
    why       written after the run, where it does not hold: what that is likely due to, and whether a longer one was tried
    """

    says: str
    here: str
    arms: Mapping[str, Arm]
    metric: str
    rule: Callable[[Found], dict[str, bool]]
    seeds: int = 3
    kinds: tuple[str, ...] = ("image",)
    why: str = ""
