"""What is measured of a table's columns over the training part: by what views scale, encode and draw."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tacit.numerics import counter

CHUNK = 1 << 16  # rows read together
SAMPLED = 65_536  # rows from which quantiles are taken
LEVELS = 64  # quantiles of a column: what is drawn from its marginal
KEPT = 64  # categories with a place of their own; of a column of more, the most frequent
COUNTED = 1 << 20  # values counted before only those that are there already are

Cells = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # positions -> numbers and codes, n × c


def measures(columns: Sequence[tuple[str, str, Mapping[int, str]]], cells: Cells, n: int) -> list[dict[str, Any]]:
    """Facts of each column, given its name, type and what its codes say, over n rows read by `cells`; JSON only, series of
    numbers as text with spaces between, since a run's YAML would need a line for each.

    number, date   mean, std, the LEVELS quantiles (values that occur) and how many rows are missing
    others         codes, counts and names of the KEPT most frequent values (code 0: missing), and how many there are
    """
    c = len(columns)
    total, square, given = (np.zeros(c) for _ in range(3))
    numeric = np.array([kind in ("number", "date") for _, kind, _ in columns])
    shift = np.zeros(c)
    counts: list[Counter[int]] = [Counter() for _ in columns]
    for at in range(0, n, CHUNK):
        numbers, codes = cells(np.arange(at, min(at + CHUNK, n)))
        known = ~np.isnan(numbers)
        if not at:
            shift = np.where(known.any(0), np.where(known, numbers, 0).sum(0) / np.maximum(known.sum(0), 1), 0)
        moved = np.where(known, numbers - shift, 0)  # so that the square of a date does not swallow its spread
        total, square, given = total + moved.sum(0), square + np.square(moved).sum(0), given + known.sum(0)
        for place in np.flatnonzero(~numeric).tolist():
            _count(counts[place], codes[:, place])
    some = np.sort(counter.permutation(counter.key("quantiles"), n)[:SAMPLED])
    sample = cells(some)[0]
    found = []
    for place, (name, kind, said) in enumerate(columns):
        if numeric[place]:
            mean = total[place] / max(given[place], 1)
            std = float(np.sqrt(max(square[place] / max(given[place], 1) - mean**2, 0.0)))
            std = std if std > 1e-9 * max(abs(shift[place]), 1e-300) else 0.0  # rounding of a constant column
            own = {"mean": float(mean + shift[place]), "std": std, "quantiles": _line(_quantiles(sample[:, place]))}
            found.append({"name": name, "type": kind, **own, "missing": int(n - given[place])})
        else:
            top = sorted(counts[place].items(), key=lambda pair: (-pair[1], pair[0]))[:KEPT]
            codes_kept, kept = [code for code, _ in top], [count for _, count in top]
            values = [said.get(code, "" if code == 0 else f"{code & 0xFFFFFFFF:08x}") for code in codes_kept]
            own_ = {"values": values, "codes": _line(codes_kept), "counts": _line(kept), "distinct": len(counts[place])}
            found.append({"name": name, "type": kind, **own_})
    return found


def _line(numbers: Sequence[float]) -> str:
    return " ".join(map(repr, numbers))


def _count(counts: Counter[int], codes: np.ndarray) -> None:
    values, times = np.unique(codes, return_counts=True)
    fresh = {int(value): int(count) for value, count in zip(values, times)}
    if len(counts) >= COUNTED:
        fresh = {value: count for value, count in fresh.items() if value in counts}
    counts.update(fresh)


def _quantiles(values: np.ndarray) -> list[float]:
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        return []
    at = ((np.arange(LEVELS) + 0.5) / LEVELS * len(known)).astype(np.int64)
    return known[at].tolist()
