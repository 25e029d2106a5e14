"""95 % intervals."""

import math

import numpy as np

from tacit.numerics import counter

Z = 1.959963984540054  # the 97.5 % quantile of the standard normal
DRAWS = 1 << 22  # of the bootstrap at once: 16 MiB


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Of a proportion, hits out of n (Wilson 1927): stays inside [0, 1] and is right for small n too."""
    p, z2 = hits / n, Z * Z
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return (0.0 if hits == 0 else centre - half), (1.0 if hits == n else centre + half)


def difference(a: float, a_interval: tuple[float, float], b: float, b_interval: tuple[float, float]) -> tuple[float, float]:
    """Of a − b, from the intervals of two independent estimates (Newcombe 1998, method 10).

    For two encoders measured on the same samples it is too wide, never too narrow, where they tend to err on the same ones.
    """
    low = a - b - math.hypot(a - a_interval[0], b_interval[1] - b)
    high = a - b + math.hypot(a_interval[1] - a, b - b_interval[0])
    return low, high


def bootstrap(values: np.ndarray, name: str, resamples: int = 1000) -> tuple[float, float]:
    """Of the mean of n independent values: percentiles of the means of resamples (Efron 1979), drawn by counter."""
    n, key = len(values), counter.key("bootstrap", name)
    rows = max(1, DRAWS // n)
    means = [
        values[(counter.uniform(key, np.arange(start, min(start + rows, resamples)), n) * n).astype(np.int64)].mean(1)
        for start in range(0, resamples, rows)
    ]
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return float(low), float(high)


def pairs(potentials: np.ndarray) -> tuple[float, float]:
    """Of the mean over pairs of samples, given each sample's mean over its pairs; at least 2 samples.

    A U-statistic of degree two: its variance is 4 Var(potentials) / n (Hoeffding 1948, section 5).
    """
    half = Z * 2 * float(potentials.std(ddof=1)) / math.sqrt(len(potentials))
    return float(potentials.mean()) - half, float(potentials.mean()) + half


def jackknife(value: float, left_out: np.ndarray) -> tuple[float, float]:
    """Of a smooth statistic, from its values with each of g equal groups left out (Tukey 1958; Efron 1982, chapter 3)."""
    groups = len(left_out)
    half = Z * math.sqrt((groups - 1) / groups * float(np.square(left_out - left_out.mean()).sum()))
    return value - half, value + half


def student(values: np.ndarray) -> tuple[float, float]:
    """Of the mean of a few values, one per seed, start or draw (Student 1908); NaN for a single one."""
    from scipy.special import stdtrit

    n = len(values)
    if n < 2:
        return math.nan, math.nan
    half = float(stdtrit(n - 1, 0.975) * values.std(ddof=1)) / math.sqrt(n)
    return float(values.mean()) - half, float(values.mean()) + half


def subsample(n: int, limit: int, name: str) -> np.ndarray:
    """At most `limit` of the positions 0…n−1, in order, drawn by counter."""
    if n <= limit:
        return np.arange(n)
    return np.sort(counter.permutation(counter.key("subsample", name), n)[:limit])
