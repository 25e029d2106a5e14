"""Which of several representations to take, without labels: the ranks that label-free numbers give, and how far they agree."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tacit.errors import TacitError
from tacit.evaluation.meanings import MEANINGS
from tacit.evaluation.number import figures

# The numbers by which runs are ranked, each with the same weight: those that alone follow linear accuracy (docs/choosing.md).
CHOOSING = ("score_overlap", "mi_infonce")


@dataclass(frozen=True)
class Choice:
    """Representations in the order of their mean rank; the first is the one to take.

    names      all of them, the best first
    values     of each number, in that order; NaN where it could not be measured
    standing   mean rank over the numbers, 0 the last and 1 the first
    agreement  Kendall's W of the numbers: 1 where all give the same order, 0 where they have nothing in common
    parts      into so many the samples were divided
    first_in   in so many of them the chosen one has the best mean rank too
    """

    names: list[str]
    values: dict[str, list[float]]
    standing: list[float]
    agreement: float
    parts: int
    first_in: int

    def __str__(self) -> str:
        rows = [["", *(MEANINGS[name].title for name in self.values), "standing"]]
        for place, name in enumerate(self.names):
            cells = ["–" if math.isnan(found[place]) else figures(found[place]) for found in self.values.values()]
            rows.append([name, *cells, f"{self.standing[place]:.2f}"])
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        level = [name for name, standing in zip(self.names, self.standing) if math.isclose(standing, self.standing[0])]
        if len(level) > 1:
            said = f"None is ahead: {', '.join(level)} have the same mean rank."
        else:
            said = f"{level[0]} has the best mean rank, in {self.first_in} of {self.parts} parts of the samples too."
        agreed = f"The numbers agree by {self.agreement:.2f} (Kendall's W: 1 is the same order by all of them)."
        return "\n".join([*lines, "", f"{said} {agreed}"])

    def as_dict(self) -> dict[str, object]:
        """JSON only."""
        finite = {name: [v if math.isfinite(v) else None for v in found] for name, found in self.values.items()}
        shown = {"names": self.names, "values": finite, "standing": self.standing, "agreement": self.agreement}
        return {**shown, "parts": self.parts, "first_in": self.first_in}


def choose(names: Sequence[str], measured: Mapping[str, np.ndarray]) -> Choice:
    """Rank representations by label-free numbers, each parts × representations; NaN ranks last.

    Ranks are of the means over parts. The mean rank needs no common scale of the numbers and no weights.
    """
    if len(names) < 2:
        raise TacitError(f"{len(names)} representation came to be compared; give at least two.")
    parts = len(next(iter(measured.values())))
    whole = {name: np.array([_mean(column) for column in values.T]) for name, values in measured.items()}
    standing = mean_rank(whole)
    order = np.argsort(-standing, kind="stable")
    within = [mean_rank({name: values[part] for name, values in measured.items()}) for part in range(parts)]
    return Choice(
        names=[names[i] for i in order],
        values={name: [float(values[i]) for i in order] for name, values in whole.items()},
        standing=[float(standing[i]) for i in order],
        agreement=kendalls_w(np.array([ranks(goodness(name, values)) for name, values in whole.items()])),
        parts=parts,
        first_in=sum(int(found.argmax() == order[0]) for found in within),
    )


def mean_rank(values: Mapping[str, np.ndarray]) -> np.ndarray:
    """For each representation the mean over numbers of its rank, scaled to 0 (last) … 1 (first)."""
    scaled = [(ranks(goodness(name, found)) - 1) / max(len(found) - 1, 1) for name, found in values.items()]
    return np.mean(scaled, axis=0)


def goodness(name: str, values: np.ndarray) -> np.ndarray:
    """The values turned so that more is better: α-ReQ is best at 1 (Agrawal et al. 2022), others as their meaning says."""
    if name == "alpha_req":
        return -np.abs(values - 1)
    return -values if MEANINGS[name].better == "lower" else values


def ranks(values: np.ndarray) -> np.ndarray:
    """1 … n, the largest n; ties share their mean rank, NaN ranks below all."""
    from scipy.stats import rankdata

    return rankdata(np.where(np.isnan(values), -np.inf, values))


def kendalls_w(table: np.ndarray) -> float:
    """The agreement of m rankings (rows) of n things: Kendall and Babington Smith 1939, without the correction for ties."""
    m, n = table.shape
    if m < 2 or n < 2:
        return math.nan
    sums = table.sum(0)
    return float(12 * np.square(sums - sums.mean()).sum() / (m * m * (n**3 - n)))


def _mean(values: np.ndarray) -> float:
    """Of what could be measured."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan
