"""An approximate index kept beside a large table: inverted lists of 4-bit product codes, then rescoring (faiss: Douze et al.
2024, arXiv:2401.08281; fast-scan codes: André et al. 2017, arXiv:1704.07355)."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tacit.embeddings.output import part_of
from tacit.embeddings.places import Address
from tacit.embeddings.read import BATCH, Table
from tacit.embeddings.rows import vectors_of
from tacit.errors import TacitError

LARGE = 500_000  # rows from which on a search is approximate where nobody asks for an exact one
RECALL, ASKED, TOP = 0.95, 256, 10  # wanted of the TOP nearest, measured on so many of the table's own rows
SHORTLIST = 20  # candidates by code for each hit, which are rescored in float16
SAMPLES = 40  # rows a list that are learned from
INDEXED = ("cosine", "dot")  # similarities whose vectors lie in a flat space


@dataclass(frozen=True)
class About:
    """What an index was made of and how good it was then."""

    encoder: str
    table: str  # its mark: a table of the same name made anew counts its versions from the start
    rows: int
    lists: int
    probes: int  # lists that are looked into
    recall: float  # of the TOP nearest of the table's own rows, itself left out
    size: int  # bytes of the file


class Index(NamedTuple):
    """An index that can be asked."""

    about: About
    faiss: Any

    def candidates(self, queries: np.ndarray, top: int) -> np.ndarray:
        """The positions of the rows that are probably nearest: m × d -> m × top, −1 where there are no more."""
        _, found = self.faiss.search(queries.astype(np.float32), top)
        return found


def indexed(table: Table, told: Callable[[str], None]) -> Index:
    """The index that lies beside a table, made anew where it is of another version of the table or half built."""
    file, about_file = _files(table.path)
    about, index = about_in(about_file), None
    same = about is not None and (about.encoder, about.table, about.rows) == (
        table.provenance.encoder, table.mark, len(table),
    )  # fmt: skip
    if about is not None and same:
        index = _opened(file, about.size)
    if about is None or index is None:
        why = "there is none yet" if about is None else "the table has changed since" if not same else "the last was broken off"
        told(f"Making an index of {len(table):,} vectors beside {table.path}, for {why}; --exact does without.")
        about = build(table)
        index = _opened(file, about.size)
    return Index(about, index)


def needed(table: Table) -> int:
    """Bytes of memory that `build` takes."""
    return int(2.25 * len(table) * table.provenance.dim) + 4 * SAMPLES * lists_of(len(table)) * table.provenance.dim


def lists_of(rows: int) -> int:
    """Into how many lists so many rows are put."""
    return max(1, min(int(4 * rows**0.5), rows // SAMPLES))


def build(table: Table, seed: int = 0) -> About:
    """Write the index of a table beside it, whole or not at all.

    About 4 √n lists. So many of them are looked into as find RECALL of the TOP nearest of some of the table's own rows, or
    all; what is reached is written down. Memory: 2.25 bytes a number of each vector (a code of 4 bits for each two
    numbers, and float16), and SAMPLES vectors a list while it learns.
    """
    import faiss

    made, rng = table.provenance, np.random.default_rng(seed)
    if made.similarity not in INDEXED:
        raise TacitError(f"{table.path} is compared by {made.similarity}, which has no index; search it exactly.")
    lists = lists_of(len(table))
    codes = made.dim // 2 if made.dim % 2 == 0 else made.dim
    whole: Any = faiss.index_factory(made.dim, f"IVF{lists},PQ{codes}x4fs,Refine(SQfp16)", faiss.METRIC_INNER_PRODUCT)
    inner = faiss.extract_index_ivf(whole)
    inner.cp.seed, inner.cp.niter = seed, 10
    whole.train(_sample(table, SAMPLES * lists, rng))
    for batch in table.stream(16 * BATCH, ("vector",)):
        whole.add(unit(vectors_of(batch), made.similarity))
    whole.k_factor = SHORTLIST

    def ask(queries: np.ndarray, top: int, probes: int) -> np.ndarray:
        inner.nprobe = probes
        return whole.search(unit(queries, made.similarity), top)[1]

    inner.nprobe, recall = tuned(ask, inner.nlist, table, rng)
    file, about_file = _files(table.path)
    about_file.unlink(missing_ok=True)
    part = part_of(file)
    try:
        saved(whole, part)
        part.rename(file)
        about = About(made.encoder, table.mark, len(table), lists, inner.nprobe, recall, file.stat().st_size)
        about_file.write_text(json.dumps(asdict(about)))
    except OSError as error:
        part.unlink(missing_ok=True)
        raise TacitError(
            f"The index of {table.path} could not be written ({error}); free some space, or search with --exact."
        ) from error
    return about


def saved(index: Any, file: Path) -> None:
    """Write one of faiss' indexes; what it says of a disk is an OSError."""
    import faiss

    try:
        faiss.write_index(index, str(file))
    except RuntimeError as error:
        raise OSError(str(error).rpartition(": ")[2] or str(error)) from error


def unit(vectors: np.ndarray, similarity: str) -> np.ndarray:
    """Rows as their inner products compare them, float32: of length one for the cosine, zeros as they are."""
    if similarity != "cosine":
        return np.array(vectors, np.float32)
    vectors = np.asarray(vectors)
    length = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))[:, None]
    return np.divide(vectors, np.where(length > 0, length, 1), dtype=np.float32, casting="same_kind")


def _sample(table: Table, count: int, rng: np.random.Generator) -> np.ndarray:
    chosen = np.sort(rng.choice(len(table), min(count, len(table)), replace=False))
    return unit(vectors_of(table.at(chosen, ("vector",))), table.provenance.similarity)


def tuned(
    ask: Callable[[np.ndarray, int, int], np.ndarray], lists: int, table: Table, rng: np.random.Generator
) -> tuple[int, float]:
    """How many of an index' lists are to be looked into, and the recall that this reaches; `ask(queries, top, probes)` gives
    positions, m × top."""
    from tacit.embeddings.search import nearest_rows  # which asks an index, too

    asked = np.sort(rng.choice(len(table), min(ASKED, len(table)), replace=False))
    queries = vectors_of(table.at(asked, ("vector",)))
    top, probes = min(TOP, len(table) - 1), 1
    truth = _others(nearest_rows(table, queries, top + 1), asked)
    while True:
        found = _others(ask(queries, top + 1, probes), asked)
        hits = [len(set(near[:top]) & set(ours[:top])) for near, ours in zip(truth, found)]
        recall = float(np.sum(hits)) / max(top * len(asked), 1)
        if recall >= RECALL or probes >= lists:
            return probes, recall
        probes = min(2 * probes, lists)


def _others(found: np.ndarray, own: np.ndarray) -> list[list[int]]:
    """The positions that were found, but each row's own."""
    return [[place for place in line if place != mine] for line, mine in zip(found.tolist(), own.tolist())]


def _files(path: Path | Address) -> tuple[Path, Path]:
    return path.with_name(f".{path.stem}.ivf"), path.with_name(f".{path.stem}.ivf.json")


def _opened(file: Path, size: int) -> Any:
    """faiss' index in a file, mapped; None where that is not what was written."""
    import faiss

    try:
        return faiss.read_index(str(file), faiss.IO_FLAG_MMAP_IFC) if file.stat().st_size == size else None
    except (OSError, RuntimeError):
        return None


def about_in(file: Path) -> About | None:
    """What stands beside an index; None where there is none or it is not whole."""
    try:
        return About(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError):
        return None
