"""Which method to take where the user names none: read off what was measured, and nothing else.

`guidance.json` beside this file is written by `docs/generate.py` from the stored benchmark rows; docs/guidance.md shows the
same numbers with all the others.
"""

import json
from pathlib import Path
from typing import NamedTuple

UNMEASURED = "simclr"  # of a kind of data on which nothing was measured yet
SUITED = {  # of those that have a method of their own
    "triples": "distmult",
    "graph": "grace",
    "interactions": "ssl_item_recs",
    "pair": "align",
}


class Advice(NamedTuple):
    """A method, and the measurement that speaks for it in one sentence."""

    method: str
    why: str


def advise(kind: str, n: int) -> Advice:
    """The method that was farthest above raw input on the measured sets of this kind and about this many samples."""
    measured = json.loads(Path(__file__).with_name("guidance.json").read_text(encoding="utf-8"))
    for band in measured.get(kind, []):
        if n >= band["above"] and (n < band["below"] or not band["below"]):
            return Advice(
                band["method"],
                f"The method {band['method']}: on {band['sets']} it was {band['points']:+.1f} points from raw input by kNN on "
                f"average, the best of {band['methods']} methods (docs/guidance.md); --method takes another.",
            )
    method = SUITED.get(kind, UNMEASURED)
    return Advice(method, f"The method {method}, since none was measured on such data; --method takes another.")
