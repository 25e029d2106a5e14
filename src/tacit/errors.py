"""One sentence for a user's mistake: what came, what was expected, what to do."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class TacitError(Exception):
    """A mistake that the user can mend; the command line prints it without a traceback."""


class Unfinished(TacitError):
    """One that came when the answer was there already: `found` is what the function would have returned."""

    def __init__(self, sentence: str, found: Any):
        super().__init__(sentence)
        self.found = found


def positive(**numbers: float) -> None:
    """Refuse, by name, a number that is not above 0."""
    for name, number in numbers.items():
        if not number > 0:
            raise TacitError(f"{name} is {number}; it must be above 0.")


def shares(**numbers: float) -> None:
    """Refuse, by name, a number that does not lie in [0, 1]."""
    for name, number in numbers.items():
        if not 0 <= number <= 1:
            raise TacitError(f"{name} is {number}; it must lie in [0, 1].")


def several(n: int) -> None:
    """Refuse a batch of one sample where samples are compared with one another."""
    if n < 2:
        raise TacitError("A batch of 1 came where samples are compared with one another; give a --batch of 2 or more.")


def unknown(what: str, name: str, known: Iterable[str]) -> TacitError:
    """The error for a misspelt name, with the nearest right one."""
    known = sorted(known)
    near = get_close_matches(name.lower().replace("-", "_"), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(known)}."
    return TacitError(f"There is no {what} {name!r}; {hint}")
