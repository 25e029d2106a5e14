"""The page of methods and kinds of data: in the paper, possible here, measured here; the last is read off stored results."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import tacit
from tacit import claims
from tacit.method import Method
from tacit.methods import keys, name_of
from tacit.modalities import MODALITIES

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
NUMBERS, CLAIMS = "docs/numbers.md", "docs/claims.md"
Finished = Callable[[str], dict[str, Any]]  # what is stored of a claim, nothing where it was not run to its end


class Seen(NamedTuple):
    """A method on a kind of data, and where its numbers are shown."""

    method: str
    kind: str
    page: str


def measured(finished: Finished) -> dict[str, dict[str, str]]:
    """What src/tacit/measured.json says: by method and kind the page; its own claim comes before benchmarks and these before
    other claims, in which it is compared with."""
    runs_on = {method.key: method.runs_on for method in tacit.catalogue()}
    found: dict[str, dict[str, str]] = {key: {} for key in keys()}
    for method, kind, page in (*_own_claims(finished), *_benchmarks(), *_other_claims(finished)):
        if kind in runs_on[method]:
            found[method].setdefault(kind, page)
    return {key: dict(sorted(pages.items())) for key, pages in found.items() if pages}


def _own_claims(finished: Finished) -> Iterator[Seen]:
    for key in claims.listing():
        if key in keys() and finished(key):
            yield from (Seen(key, kind, f"{CLAIMS}#{key}") for kind in claims.find(key).kinds)


def _other_claims(finished: Finished) -> Iterator[Seen]:
    """Arms that train a method of the catalogue."""
    for key in claims.listing():
        if finished(key):
            claim = claims.find(key)
            for arm in claim.arms.values():
                method = getattr(arm, "method", None)
                trained = getattr(arm, "which", "this encoder") == "this encoder"
                if trained and isinstance(method, type) and issubclass(method, Method) and name_of(method) in keys():
                    yield from (Seen(name_of(method), kind, f"{CLAIMS}#{key}") for kind in claim.kinds)


def _benchmarks() -> Iterator[Seen]:
    for file in sorted(RESULTS.glob("images-*.json")):
        trained = [r["method"] for r in json.loads(file.read_text()) if "recipe" in r]
        yield from (Seen(method, "image", f"{NUMBERS}#image-methods") for method in trained)
    for r in _rows("senses.json").values():
        yield Seen(r["method"], r["kind"], f"{NUMBERS}#senses-and-sequences")
    texts = _rows("texts.json")
    for name, method in (("stsb", "simcse"), ("sent2vec", "sent2vec"), ("few labels, own texts", "simclr")):
        if name in texts:
            yield Seen(method, "text", f"{NUMBERS}#texts")
    graphs = {"graphs-grace-*": ("grace", "graph"), "graphs-links-*": ("vgae", "graph")}
    for pattern, (method, kind) in (graphs | {"graphs-triples-*": ("distmult", "triples")}).items():
        if any(RESULTS.glob(f"{pattern}.jsonl")):
            yield Seen(method, kind, f"{NUMBERS}#graphs")


def _rows(name: str) -> dict[str, Any]:
    file = RESULTS / name
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return found


ABOUT = (
    "**P**: in the paper, whose authors train the method on such data. ·: possible here, since this kind of data offers the "
    "views that the method asks for, and an encoder. ●: measured here, and where the numbers stand; it says that there are "
    "numbers, not that they are good."
)


def matrix_page(found: Mapping[str, Mapping[str, str]]) -> str:
    """docs/matrix.md; `found` as of `measured`."""
    listed = tacit.catalogue()
    lines = [f"| | {' | '.join(MODALITIES)} |", "|---" * (len(MODALITIES) + 1) + "|"]
    for method in listed:
        own = found.get(method.key, {})
        cells = []
        for kind in MODALITIES:
            marks = ["**P**"] if kind in method.in_paper else []
            if kind in own:
                marks.append(f"[●]({own[kind].removeprefix('docs/')})")
            elif kind in method.runs_on:
                marks.append("·")
            cells.append(" ".join(marks))
        lines.append(f"| `{method.key}` | {' | '.join(cells)} |")
    parts = [
        "# Methods and kinds of data",
        "Written by `python docs/generate.py`; `tacit methods` prints the same.",
        ABOUT,
        "\n".join(lines),
        f"{len(listed)} methods and {len(MODALITIES)} kinds of data: {sum(len(method.runs_on) for method in listed)} pairs are "
        f"possible here, of which {sum(map(len, found.values()))} were measured.",
    ]
    return "\n\n".join(parts) + "\n"
