"""Representations side by side: the table, how far the first is above the others, and what is to be known of it."""

import math
from dataclasses import dataclass
from typing import Any

from tacit.errors import TacitError
from tacit.evaluation.intervals import difference
from tacit.evaluation.meanings import MEANINGS
from tacit.evaluation.number import Number

SAID = ("knn", "linear")  # of which the verdict is said in words


@dataclass(frozen=True)
class Evaluation:
    """The numbers of several representations of the same samples; the first is the one in question."""

    representations: dict[str, list[Number]]

    def __post_init__(self) -> None:
        if not self.representations:
            raise TacitError("There is nothing to compare; give at least one representation and its numbers.")

    def number(self, representation: str, metric: str) -> Number | None:
        """One number, if that representation has it."""
        return next((n for n in self.representations[representation] if n.name == metric), None)

    @property
    def metrics(self) -> list[str]:
        """The names of all metrics that some representation has, in order of first appearance."""
        return list(dict.fromkeys(n.name for numbers in self.representations.values() for n in numbers))

    @property
    def verdict(self) -> list[str]:
        """A sentence of kNN and one of the linear probe: how far the first representation is above the others."""
        first, *others = self.representations
        compared = (self._compared(metric, first, others) for metric in SAID)
        return [sentence for sentence in compared if sentence]

    @property
    def notes(self) -> list[str]:
        """Why what is missing is missing, and what else is to be known."""
        reasons: dict[str, dict[str, list[str]]] = {}
        for representation, numbers in self.representations.items():
            for n in numbers:
                for reason in filter(None, (n.why, *n.protocol.get("notes", []))):
                    reasons.setdefault(reason, {}).setdefault(representation, []).append(MEANINGS[n.name].title)
        said = []
        for reason, whose in reasons.items():
            alike: dict[str, list[str]] = {}
            for representation, titles in whose.items():
                alike.setdefault(_first(titles), []).append(representation)
            named = [f"{titles} of {' and '.join(some)}" for titles, some in alike.items()]
            said.append(f"{', '.join(named)}: {reason}")
        return said

    def as_dict(self) -> dict[str, Any]:
        """JSON only."""
        numbers = {name: [n.as_dict() for n in numbers] for name, numbers in self.representations.items()}
        return {"representations": numbers, "verdict": self.verdict, "notes": self.notes}

    def __str__(self) -> str:
        rows = [["", *self.representations]]
        for metric in self.metrics:
            cells = [self.number(name, metric) for name in self.representations]
            rows.append([MEANINGS[metric].title, *("" if n is None else n.shown() for n in cells)])
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        lines.insert(1, "  ".join("─" * width for width in widths))
        return "\n".join([*lines, *([""] if self.verdict or self.notes else []), *self.verdict, *self.notes])

    def _compared(self, metric: str, first: str, others: list[str]) -> str:
        mine = self.number(first, metric)
        theirs = [(name, n) for name in others if (n := self.number(name, metric)) and not math.isnan(n.value)]
        if mine is None or math.isnan(mine.value) or not theirs:
            return ""
        parts, unsure = [], []
        for name, n in theirs:
            gap = round(100 * (mine.value - n.value), 1)
            parts.append(f"{abs(gap)} points {'above' if gap > 0 else 'below'} {name}" if gap else f"level with {name}")
            low, high = difference(mine.value, (mine.low, mine.high), n.value, (n.low, n.high))
            if gap and low <= 0 <= high:
                unsure.append(name)
        title = MEANINGS[metric].title
        doubt = f"; the difference from {' and '.join(unsure)} is within the noise of {mine.protocol['test']} samples"
        return f"{title} is {' and '.join(parts)}{doubt if unsure else ''}."


def _first(titles: list[str]) -> str:
    """Up to three titles, or one and the number of the others."""
    return ", ".join(titles) if len(titles) < 4 else f"{titles[0]} and {len(titles) - 1} others"
