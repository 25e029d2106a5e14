"""Codes of a table's vectors, kept beside it: fewer numbers, and fewer bits for each. They name candidates, which all numbers
then put in order.

A code is spelt as its steps, as in `product`, `pca64` or `tldr32,scalar`:

first64   the first 64 numbers, for vectors whose first numbers are a representation by themselves (Kusupati et al. 2022,
          arXiv:2205.13147)
pca64     the 64 directions in which the rows' squares are largest, about the origin, from where inner products are taken
tldr64    64 numbers that are linear in the others and agree for neighbours (Kalantidis et al. 2022, arXiv:2110.09455)
scalar    a byte a number, in equal steps; scalar4: 4 bits, whose 16 levels are learned for each number
product   4 bits for two numbers, learned; product16: 16 bytes a vector (Jégou, Douze, Schmid 2011, doi:10.1109/TPAMI.2010.57)
binary    one bit a number, whether it is above its mean; queries keep theirs, in units of its mean distance from the mean

Four-bit codes are scanned in registers (André et al. 2017, arXiv:1704.07355; faiss: Douze et al. 2024, arXiv:2401.08281).
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tacit.embeddings.index import ASKED, INDEXED, TOP, unit
from tacit.embeddings.output import part_of
from tacit.embeddings.places import Address
from tacit.embeddings.read import BATCH, Table
from tacit.embeddings.rows import vectors_of
from tacit.errors import TacitError

LEARNED = 1 << 15  # rows that a code learns of
WANTED = 0.99  # recall of the TOP nearest, once candidates are compared by all numbers
SHORTLISTS = (1, 2, 5, 10, 20, 50)  # candidates for each hit: the fewest that reach it, or the most
COMPARED = 1 << 24  # numbers of candidates that are compared at once
LEVELS = 16  # of four bits: a code of them is learned of so many rows at least
REDUCTIONS, CODINGS = ("first", "pca", "tldr"), ("scalar", "scalar4", "product", "binary")


class Code(NamedTuple):
    """What becomes of a vector."""

    reduction: str = ""  # one of REDUCTIONS, or "": all numbers stay
    numbers: int = 0
    coding: str = ""  # one of CODINGS, or "": float32
    bytes: int = 0  # of a product code, where a number of them is asked for

    def __str__(self) -> str:
        return ",".join(filter(None, (f"{self.reduction}{self.numbers or ''}", f"{self.coding}{self.bytes or ''}")))

    @classmethod
    def read(cls, text: str) -> "Code":
        """What `str` wrote; anything else is a TacitError."""
        form = rf"(?:({'|'.join(REDUCTIONS)})([1-9]\d*)(?:,(?=.)|$))?(?:(scalar4?|binary|product([1-9]\d*)?))?"
        found = re.fullmatch(form, text.replace(" ", ""))
        if not text.strip() or found is None:
            raise TacitError(
                f"{text!r} is no code; give {', '.join(f'{name}64' for name in REDUCTIONS)}, {', '.join(CODINGS)}, or one of "
                "the first and one of the others as in pca64,scalar."
            )
        reduction, numbers, coding, size = found.groups()
        return cls(reduction or "", int(numbers or 0), (coding or "").removesuffix(size or ""), int(size or 0))


class Linear(NamedTuple):
    """x -> A x + b."""

    weight: np.ndarray  # A: m × d
    bias: np.ndarray  # m


Learn = Callable[[np.ndarray, int], Linear]  # rows as they are compared, n × d, and m


@dataclass(frozen=True)
class About:
    """What codes were made of and how good they were then."""

    code: str
    encoder: str
    table: str  # its mark: a table of the same name made anew counts its versions from the start
    rows: int
    bytes: float  # a vector
    alone: float  # recall of the TOP nearest of some of the table's own rows, by codes alone
    recall: float  # with candidates compared by all numbers
    shortlist: int  # candidates for each hit
    size: int  # bytes of the file


class Codes(NamedTuple):
    """Codes that can be asked."""

    about: About
    table: Table
    faiss: Any

    def alone(self, queries: np.ndarray, top: int) -> np.ndarray:
        """The positions of the rows that are nearest by their codes: m × d -> m × top, −1 where there are no more."""
        return self.faiss.search(unit(queries, self.table.provenance.similarity), top)[1]

    def candidates(self, queries: np.ndarray, top: int) -> np.ndarray:
        """The same of those among `shortlist` times as many that are nearest by all numbers, which the table is read for."""
        near = self.alone(queries, min(self.about.shortlist * top, len(self.table)))
        return _nearest_of(self.table, queries, near, top)


def opened(table: Table, name: str) -> Codes | None:
    """The codes that lie beside a table under a name, None where there are none of this version of it that are whole."""
    import faiss

    file, about_file = _files(table.path, name)
    try:
        about = About(**json.loads(about_file.read_text()))
        made = about.encoder, about.table, about.rows, about.size
        whole = made == (table.provenance.encoder, table.mark, len(table), file.stat().st_size)
        return Codes(about, table, faiss.read_index(str(file))) if whole else None
    except (OSError, ValueError, TypeError, RuntimeError):  # the last is what faiss says of a damaged file
        return None


def build(table: Table, code: Code, learn: Learn | None = None, *, name: str = "", seed: int = 0) -> Codes:
    """Make codes of a table's rows, measure them with some of its own, and write them beside it under `name`, by default the
    code's own; whole or not at all.

    learn  what finds the numbers of a `tldr` code

    The shortlist is the least of SHORTLISTS by which WANTED of the TOP nearest are found, or the largest. Memory: the codes,
    and LEARNED vectors while they are learned.
    """
    import faiss

    made, rng = table.provenance, np.random.default_rng(seed)
    whole = _untrained(table, code)
    rows = unit(vectors_of(table.at(_some(len(table), LEARNED, rng), ("vector",))), made.similarity)
    reduce = _reduction(code, rows, learn)
    chain = [] if reduce is None else [_transform(reduce)]
    if code.reduction in ("first", "tldr") and made.similarity == "cosine":  # the angle is between what is left
        chain.append(faiss.NormalizationTransform(code.numbers, 2.0))
    left = rows
    for step in chain:
        left = step.apply(left)
    if code.coding == "binary":
        away = np.maximum(np.abs(left - left.mean(0)).mean(0), 1e-9)
        scale = np.pad(np.diag(1 / away), ((0, whole.d - len(away)), (0, 0)))
        chain.append(_transform(Linear(scale, -scale @ left.mean(0))))
    elif not whole.is_trained:
        whole.train(left)
    for step in reversed(chain):
        whole = faiss.IndexPreTransform(step, whole)
    for batch in table.stream(16 * BATCH, ("vector",)):
        whole.add(unit(vectors_of(batch), made.similarity))
    size = _inner(whole).sa_code_size() if code.coding else 4 * _inner(whole).d
    about = About(str(code), made.encoder, table.mark, len(table), size, 0.0, 0.0, 1, 0)
    codes = _measured(Codes(about, table, whole), _some(len(table), ASKED, rng))
    return _kept(codes, name or str(code))


def sign_codes(dim: int) -> Any:
    """faiss' index of one bit a number: of rows whose numbers lie about 0, by the inner product with a query's own numbers.

    Four bits are a code of the product quantiser, whose codebooks are so known without training, and whose scan adds up table
    entries in registers. `dim` is a multiple of 8: whole bytes.
    """
    import faiss

    signs = 2.0 * (np.arange(16)[:, None] >> np.arange(4) & 1) - 1  # 16 × 4
    index = faiss.IndexPQFastScan(dim, dim // 4, 4, faiss.METRIC_INNER_PRODUCT)
    faiss.copy_array_to_vector(np.tile(signs, (dim // 4, 1)).astype(np.float32).ravel(), index.pq.centroids)
    index.is_trained = True
    return index


def _untrained(table: Table, code: Code) -> Any:
    """faiss' index of such codes; what the table cannot have is a TacitError."""
    import faiss

    made, inner = table.provenance, faiss.METRIC_INNER_PRODUCT
    if made.form != "dense" or made.similarity not in INDEXED:
        raise TacitError(
            f"{table.path} holds {made.form} vectors compared by {made.similarity}, which have no codes; search exactly."
        )
    if code.numbers > made.dim:
        raise TacitError(
            f"{code} asks for {code.numbers} numbers, and the vectors of {table.path} have {made.dim}; ask for fewer."
        )
    if code.coding in ("scalar4", "product") and len(table) < LEVELS:
        raise TacitError(
            f"{code} learns {LEVELS} levels and {table.path} has {len(table)} rows; give scalar or binary, or search exactly."
        )
    dim = code.numbers or made.dim
    if code.coding == "scalar":
        return faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_8bit, inner)
    if code.coding == "scalar4":
        return faiss.IndexPQFastScan(dim, dim, 4, inner)
    if code.coding == "product":
        parts = 2 * code.bytes or max(dim // 2, 1)
        if dim % parts:
            fitting = [size for size in range(1, dim // 2 + 1) if dim % (2 * size) == 0]
            raise TacitError(
                f"{code} cuts {dim} numbers into {parts} parts, which are not equal; give one of "
                f"{', '.join(f'product{size}' for size in fitting) or 'scalar, scalar4, binary'}."
            )
        return faiss.IndexPQFastScan(dim, parts, 4, inner)
    return sign_codes(dim + -dim % 8) if code.coding == "binary" else faiss.IndexFlatIP(dim)


def _reduction(code: Code, rows: np.ndarray, learn: Learn | None) -> Linear | None:
    """What makes fewer numbers of a row."""
    if code.reduction == "first":
        return Linear(np.eye(code.numbers, rows.shape[1]), np.zeros(code.numbers))
    if code.reduction == "pca":
        _, axes = np.linalg.eigh(rows.T.astype(np.float64) @ rows)  # rising
        return Linear(axes[:, ::-1][:, : code.numbers].T, np.zeros(code.numbers))
    if code.reduction == "tldr":
        if learn is None:
            raise ValueError("a tldr code needs to be told how it is learned")
        return learn(rows, code.numbers)
    return None


def _transform(linear: Linear) -> Any:
    import faiss

    step = faiss.LinearTransform(linear.weight.shape[1], linear.weight.shape[0], True)
    faiss.copy_array_to_vector(np.ascontiguousarray(linear.weight, np.float32).ravel(), step.A)
    faiss.copy_array_to_vector(np.ascontiguousarray(linear.bias, np.float32), step.b)
    step.is_trained = True
    return step


def _inner(index: Any) -> Any:
    """What holds the codes, behind what makes them."""
    import faiss

    while isinstance(index, faiss.IndexPreTransform):
        index = faiss.downcast_index(index.index)
    return index


def _some(count: int, most: int, rng: np.random.Generator) -> np.ndarray:
    return np.sort(rng.choice(count, min(count, most), replace=False))


def _measured(codes: Codes, asked: np.ndarray) -> Codes:
    """The codes with the shortlist that they need, and the recall that some of the table's own rows reach."""
    from tacit.embeddings.search import nearest_rows  # which asks codes, too

    table = codes.table
    queries, top = vectors_of(table.at(asked, ("vector",))), min(TOP, len(table) - 1)
    truth = nearest_rows(table, queries, top + 1)

    def recall(found: np.ndarray) -> float:
        near = [{*(line[line != own][:top].tolist())} for line, own in zip(truth, asked)]
        ours = [line[line != own][:top].tolist() for line, own in zip(found, asked)]
        return sum(len(a.intersection(b)) for a, b in zip(near, ours)) / max(top * len(asked), 1)

    alone, reached, shortlist = recall(codes.alone(queries, top + 1)), 0.0, 1
    for shortlist in SHORTLISTS:
        codes = codes._replace(about=About(**asdict(codes.about) | {"shortlist": shortlist}))
        reached = recall(codes.candidates(queries, top + 1))
        if reached >= WANTED:
            break
    return codes._replace(about=About(**asdict(codes.about) | {"alone": alone, "recall": reached}))


def _nearest_of(table: Table, queries: np.ndarray, near: np.ndarray, top: int) -> np.ndarray:
    """Of each query's candidates, m × k, −1 for none, the `top` of largest inner product by all numbers, best first."""
    top, made = min(top, near.shape[1]), table.provenance
    asked, found = unit(queries, made.similarity), np.empty((len(near), top), np.int64)
    lines = max(COMPARED // (near.shape[1] * made.dim), 1)
    for start in range(0, len(near), lines):
        some = near[start : start + lines]
        places, back = np.unique(np.maximum(some, 0), return_inverse=True)
        rows = table.held[places] if table.held is not None else vectors_of(table.at(places, ("vector",)))
        rows = unit(rows, made.similarity)[back.reshape(some.shape)]
        scores = np.matmul(rows, asked[start : start + lines, :, None])[:, :, 0]
        order = np.argsort(-np.where(some < 0, -np.inf, scores), axis=1, kind="stable")[:, :top]
        found[start : start + lines] = np.take_along_axis(some, order, axis=1)
    return found


def _kept(codes: Codes, name: str) -> Codes:
    """The codes, written beside their table."""
    import faiss

    file, about_file = _files(codes.table.path, name)
    about_file.unlink(missing_ok=True)
    part = part_of(file)
    try:
        faiss.write_index(codes.faiss, str(part))
        part.rename(file)
        codes = codes._replace(about=About(**asdict(codes.about) | {"size": file.stat().st_size}))
        about_file.write_text(json.dumps(asdict(codes.about)))
    except (RuntimeError, OSError) as error:
        part.unlink(missing_ok=True)
        raise TacitError(
            f"The codes of {codes.table.path} could not be written ({error}); free some space, or search without them."
        ) from error
    return codes


def _files(path: Path | Address, name: str) -> tuple[Path, Path]:
    beside = f".{path.stem}.codes-{name.replace(',', '-')}"
    return path.with_name(beside), path.with_name(beside + ".json")
