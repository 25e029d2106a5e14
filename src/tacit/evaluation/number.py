"""A number that carries how it was measured and how far it can be trusted."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tacit.evaluation.meanings import MEANINGS

NAN = math.nan


@dataclass(frozen=True)
class Number:
    """A measured value with its 95 % interval [low, high] (NaN where none is given: the protocol says why).

    `protocol` holds everything needed to measure it again, JSON only. What could not be measured has value NaN, and
    `why` says it in one sentence.
    """

    name: str  # a key of MEANINGS
    value: float
    low: float
    high: float
    protocol: dict[str, Any] = field(default_factory=dict)
    why: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON only: NaN becomes None."""
        numbers = {key: _finite(getattr(self, key)) for key in ("value", "low", "high")}
        return {"name": self.name, **numbers, "protocol": self.protocol, "why": self.why}

    def shown(self) -> str:
        """The value and its interval: `84.2 % (81.9–86.3)`, or `–` where there is none."""
        if math.isnan(self.value):
            return "–"
        if MEANINGS[self.name].percent:
            between = " to " if self.low < 0 else "–"
            interval = "" if math.isnan(self.low) else f" ({100 * self.low:.1f}{between}{100 * self.high:.1f})"
            return f"{100 * self.value:.1f} %{interval}".replace("-", "−")
        interval = "" if math.isnan(self.low) else f" ({figures(self.low)} to {figures(self.high)})"
        return figures(self.value) + interval

    def __str__(self) -> str:
        return f"{self.name} {self.shown()}" + (f": {self.why}" if self.why else "")


def missing(name: str, why: str, **protocol: Any) -> Number:
    """A number that could not be measured, and why."""
    return Number(name, NAN, NAN, NAN, protocol, why)


def under(number: Number, protocol: Mapping[str, Any]) -> Number:
    """The same, measured under this protocol besides its own."""
    return replace(number, protocol={**number.protocol, **protocol})


def figures(x: float) -> str:
    """Three significant figures, with a real minus sign."""
    digits = 2 if x == 0 else max(0, 2 - math.floor(math.log10(abs(x))))
    return f"{x:.{min(digits, 4)}f}".replace("-", "−")


def _finite(x: float) -> float | None:
    return x if math.isfinite(x) else None
