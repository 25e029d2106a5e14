"""Codes of vectors, how small, how good, how fast: `python benchmarks/codes.py` makes the table of docs/codes.md.

    TACIT_DATA=… OMP_NUM_THREADS=1 python benchmarks/codes.py             # all that is missing
    TACIT_DATA=… OMP_NUM_THREADS=1 python benchmarks/codes.py --row "cifar10-15k: scalar" --again

Two sets. `cifar10-15k`: what a small residual network, trained for five epochs at 16 pixels by matryoshka around SimCLR without
labels, says of 15 000 images; queries are the 3 000 test images, and relevant is what has a query's class. `generated`: 200 000
rows of 256 numbers about 4096 centres of unlike sizes (`store.drawn`); queries are 500 other draws.

Recall is the share of the 10 nearest by all numbers, by cosine, that is found: by codes alone, and where all numbers of the
shortlist are compared, which are read from the table on disk. Intervals are 95 %, over queries. Speeds are beside faiss' flat
index of all numbers, taking turns: queries one by one, and 100 at once. The run and the tables are kept in the system's folder
for temporary files, from where a second start takes them.
"""

import tempfile
import time
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import faiss
import numpy as np
import torch
from rows import Measure, Row, main, turns
from store import drawn

import tacit
from tacit.applying import compressing
from tacit.data import known
from tacit.embeddings import codes
from tacit.embeddings.index import unit
from tacit.embeddings.provenance import Provenance
from tacit.embeddings.read import Table, open_table
from tacit.embeddings.rows import Rows
from tacit.embeddings.search import nearest_rows
from tacit.embeddings.write import write

KEPT = Path(tempfile.gettempdir()) / "tacit-codes"
TOP, TIMED, ALONE = 10, 100, 10  # hits; queries that are timed at once, and one by one
GENERATED, QUERIES = 200_000, 500
HOW: dict[str, Any] = {"inner": "simclr", "size": 16, "epochs": 5, "seed": 0}


class Space(NamedTuple):
    """A table, queries for it, and what is nearest to each."""

    table: Table
    queries: np.ndarray
    truth: np.ndarray  # positions, queries × TOP
    relevant: Callable[[np.ndarray], np.ndarray] | None  # positions, queries × k -> whether each is of the query's class
    flat: Any  # faiss' index of all numbers


def _space(table: Table, queries: np.ndarray, relevant: Callable[[np.ndarray], np.ndarray] | None) -> Space:
    flat = faiss.IndexFlatIP(table.provenance.dim)
    flat.add(unit(table.vectors(), "cosine"))
    return Space(table, queries, nearest_rows(table, queries, TOP), relevant, flat)


@lru_cache(maxsize=1)
def cifar() -> Space:
    samples = known("cifar10-15k")
    train, test = samples.split("train"), samples.split("test")
    if not (KEPT / "run" / "encoder.safetensors").exists():
        how = {"resume": True} if (KEPT / "run").exists() else {"method": "matryoshka", **HOW}
        tacit.pretrain(train, out=KEPT / "run", quiet=True, **how)
    run, place = tacit.Run(KEPT / "run"), KEPT / "cifar10.lance"
    table = open_table(place) if place.exists() else tacit.embed(run, train, out=place)
    labels = np.array([train.classes.index(label) for label in table.rows(table.ids()).labels])
    return _space(table, run.embed(test).numpy(), lambda found: labels[found] == test.labels[:, None])


@lru_cache(maxsize=1)
def generated() -> Space:
    def batches() -> Any:
        for start in range(0, GENERATED, 50_000):
            x = drawn(50_000, 1 + start)
            none: list[Any] = [None] * len(x)
            yield Rows([str(start + i) for i in range(len(x))], none, none, x, none)

    queries, place = drawn(QUERIES, -1), KEPT / "generated.lance"
    made = Provenance("benchmark", "0" * 64, "dense", "cosine", queries.shape[1], "vector", "0")
    table = open_table(place) if place.exists() else write(place, batches(), made, total=GENERATED)
    return _space(table, queries, None)


def measured(space: Callable[[], Space], code: str) -> Row:
    table, queries, truth, relevant, flat = space()
    begun = time.process_time()
    found = codes.build(table, codes.Code.read(code), compressing.tldr_of)
    build = time.process_time() - begun
    some, alone = queries[:TIMED], found.alone(queries, TOP)
    compared = found.candidates(queries, TOP)

    def one_by_one(search: Callable[[np.ndarray, int], Any]) -> Callable[[], None]:
        return lambda: [search(some[i : i + 1], TOP) for i in range(ALONE)] and None

    asked = unit(some, "cosine")
    ways = {
        "one by one": turns(3, codes=one_by_one(found.alone), flat=one_by_one(flat.search)),
        "at once": turns(3, codes=lambda: found.alone(some, TOP), flat=lambda: flat.search(asked, TOP)),
        "at once, compared": turns(3, codes=lambda: found.candidates(some, TOP), flat=lambda: flat.search(asked, TOP)),
    }
    numbers: Row = {"recall": {"alone": shares(alone, truth), "compared": shares(compared, truth)}}
    if relevant is not None:
        hits = {"alone": relevant(alone), "compared": relevant(compared), "exact": relevant(truth)}
        numbers["ndcg"] = {name: gains(one) for name, one in hits.items()}
    n = {"rows": len(table), "d": table.provenance.dim, "queries": len(queries), "top": TOP}
    about = {"bytes": found.about.bytes, "shortlist": found.about.shortlist, "build": round(build, 1)}
    return {"n": n} | about | numbers | {"speed": ways}


def shares(found: np.ndarray, truth: np.ndarray) -> list[float]:
    return interval(np.array([len({*a} & {*b}) / TOP for a, b in zip(found.tolist(), truth.tolist())]))


def gains(hits: np.ndarray) -> list[float]:
    """nDCG, where more than TOP rows are relevant to every query."""
    discount = 1 / np.log2(np.arange(TOP) + 2)
    return interval(hits @ discount / discount.sum())


def interval(values: np.ndarray) -> list[float]:
    """The mean, and the ends of its 95 % interval over queries."""
    mean, off = values.mean(), 1.96 * values.std(ddof=1) / len(values) ** 0.5
    return [round(float(value), 4) for value in (mean, mean - off, mean + off)]


CODES = {
    "cifar10-15k": [
        *("scalar", "scalar4", "product", "product24", "binary", "first48", "pca48", "tldr48"),
        *("first48,scalar", "pca48,scalar", "tldr48,scalar", "first96,binary", "pca96,binary", "tldr96,binary"),
    ],
    "generated": [
        *("scalar", "scalar4", "product", "product32", "binary", "pca64", "tldr64"),
        *("pca64,scalar", "tldr64,scalar", "pca128,binary", "tldr128,binary"),
    ],
}
SPACES = {"cifar10-15k": cifar, "generated": generated}
MEASURES = {
    f"{name}: {code}": Measure(partial(measured, SPACES[name], code), (SPACES[name], _space, codes, compressing))
    for name, some in CODES.items()
    for code in some
}

if __name__ == "__main__":
    faiss.omp_set_num_threads(torch.get_num_threads())
    KEPT.mkdir(exist_ok=True)
    main(__doc__, "codes.json", MEASURES, {"faiss": faiss.__version__})
