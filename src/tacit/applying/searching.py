"""`tacit search`: the rows of a table that are nearest to one query, or to many."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tacit import data as sources
from tacit.applying.compressing import codes_of, funnel_of
from tacit.applying.embedding import first_readable
from tacit.data.memory import free_memory
from tacit.data.samples import Samples
from tacit.data.text.opening import from_strings
from tacit.embeddings.index import INDEXED, LARGE, TOP, indexed, needed
from tacit.embeddings.inside import inside
from tacit.embeddings.output import appearing, parquet_file
from tacit.embeddings.read import Table, mapped_array, open_table
from tacit.embeddings.replacing import refuse_other
from tacit.embeddings.rows import vectors_of
from tacit.embeddings.search import Hit, Index, Written, resolve
from tacit.embeddings.search import search as nearest
from tacit.embeddings.sheet import contact_sheet
from tacit.embeddings.words import FUSED, fused
from tacit.errors import TacitError, Unfinished
from tacit.method import Ragged
from tacit.picturing import thumbnails
from tacit.retrieval import tokens as late
from tacit.run import Run, chunks
from tacit.sides import Side, side_of
from tacit.views.sheet import save

FOUND = pa.schema([("query", pa.string()), ("rank", pa.int32()), ("id", pa.string()), ("score", pa.float32())])


def search(
    table: str | Path | Table,
    query: Any,
    *,
    top: int = 10,
    where: str = "",
    exact: bool = False,
    codes: str = "",
    funnel: bool = False,
    hybrid: bool = False,
    run: Run | str | Path | None = None,
    sheet: str | Path | None = None,
    device: str = "auto",
    told: Callable[[str], None] = lambda sentence: None,
) -> list[Hit]:
    """The rows of a table that are nearest to a sample, an id of the table, a vector, or words; best first.

    An image, a file or an opened source with one sample, or in a table of texts what is no id, is embedded by `run`, by default
    the run whose address the table carries; it must be the encoder that made the table. `where` is a condition on the columns,
    as SQL has it. Of a large table (`index.LARGE` rows) an index is asked, which is made the first time, unless `exact` or
    `where` is given; `told` hears of it. `codes` (`pca64,scalar`; `embeddings.codes`) name candidates in its place, or with
    `funnel` the first numbers of what a run of matryoshka has embedded; these too are made the first time. `hybrid` fuses the
    nearest vectors with what holds the words (a table of texts). `sheet` writes a contact sheet of what was found.
    """
    table = table if isinstance(table, Table) else open_table(table)
    what = resolve(query, table) if isinstance(query, str) else query
    if hybrid and not isinstance(what, Written):
        raise TacitError(f"--hybrid looks for words as well, and {str(query)[:40]!r} is not words; leave it out.")
    depth, exclude = max(top, FUSED) if hybrid else top, [what] if isinstance(what, str) else []
    vectors, picture = _meant(what, table, run, device)
    index = _index(table, exact, where, codes, funnel, run, told)
    if isinstance(vectors, Ragged):
        (hits,) = late.search(table, vectors, depth, exclude=exclude, where=where)
    else:
        (hits,) = nearest(table, vectors, depth, exclude=exclude, where=where, index=index)
    if hybrid and isinstance(what, Written):
        hits = fused(table, what.text, hits, top, where)
    if sheet is not None:
        try:
            save(contact_sheet(picture, hits), sheet)
        except TacitError as error:
            raise Unfinished(str(error), hits) from error
        except OSError as error:
            raise Unfinished(f"{sheet} could not be written ({error.strerror}); give another --sheet.", hits) from error
    return hits


def search_all(
    table: str | Path | Table,
    queries: Any,
    *,
    out: str | Path,
    top: int = 10,
    where: str = "",
    exact: bool = False,
    codes: str = "",
    funnel: bool = False,
    run: Run | str | Path | None = None,
    device: str = "auto",
    batch: int = 256,
    told: Callable[[str], None] = lambda sentence: None,
) -> int:
    """The nearest rows of many queries, a source or a .npy of vectors, into a Parquet file; how many queries there were.

    Its columns: query (the id, or the number of the vector), rank from 1, id, score. A file of these is replaced, another is
    refused. What cannot be read is left out. The rest as in `search`.
    """
    table, out = table if isinstance(table, Table) else open_table(table), parquet_file(out)
    refuse_other(out, "answers to queries", lambda names: names == FOUND.names)
    index, count = _index(table, exact, where, codes, funnel, run, told), 0
    if table.provenance.form == "dense" and (index is None or codes or funnel) and not where:
        hold_where_it_fits(table)
    with appearing(out) as part, pq.ParquetWriter(part, FOUND) as file:
        for names, vectors in _asked(table, queries, run, device, batch):
            if isinstance(vectors, Ragged):
                lines = late.search(table, vectors, top, where=where)
            else:
                lines = nearest(table, vectors, top, where=where, index=index, before=count)
            sizes = [len(hits) for hits in lines]
            file.write_table(
                pa.table(
                    [
                        pa.array(np.repeat(np.array(names, object), sizes), pa.string()),
                        pa.array([rank for size in sizes for rank in range(1, size + 1)], pa.int32()),
                        pa.array([hit.id for hits in lines for hit in hits], pa.string()),
                        pa.array([hit.score for hits in lines for hit in hits], pa.float32()),
                    ],
                    schema=FOUND,
                )
            )
            count += len(names)
    return count


def _asked(
    table: Table, queries: Any, run: Run | str | Path | None, device: str, batch: int
) -> Iterator[tuple[list[str], np.ndarray | Ragged]]:
    """The names and vectors of many queries, some at a time."""
    if isinstance(queries, str | Path) and Path(queries).suffix == ".npy":
        if table.provenance.form == "ragged":
            raise TacitError(f"{queries} holds one vector for each query, and {table.path} is asked by many; give the data.")
        vectors = _vectors(Path(queries))
        for index in chunks(len(vectors), batch):
            yield [str(number) for number in index], np.asarray(vectors[index])
        return
    run = _run_of(table, run, device)
    opened = sources.open(queries)
    by = side_of(run, opened)
    samples = by.open(opened)
    for index in chunks(len(samples), batch):
        content, bad = samples.read(index)
        good = np.array([position for position in index.tolist() if position not in bad], np.int64)
        if len(good):
            yield [samples.ids[i] for i in good], _represented(table, by, content, good)


def _vectors(file: Path) -> np.ndarray:
    """The rows of a .npy file, mapped."""
    vectors = mapped_array(file)
    if vectors.ndim != 2 or vectors.dtype.kind not in "fiu":
        raise TacitError(f"{file} holds {vectors.dtype} of shape {vectors.shape}, and m × d numbers were expected.")
    return vectors


def _index(
    table: Table,
    exact: bool,
    where: str,
    codes: str,
    funnel: bool,
    run: Run | str | Path | None,
    told: Callable[[str], None],
) -> Index | None:
    """What is asked in place of all rows: codes, a funnel, or the index of a large table; nothing where tokens are compared."""
    if table.provenance.form == "ragged":
        if codes or funnel:
            raise TacitError(f"{table.path} holds vectors of tokens, which have no codes; leave --codes and --funnel out.")
        return None
    if codes or funnel:
        if exact or where or (codes and funnel):
            raise TacitError("Of --exact, --where, --codes and --funnel one says which rows are compared; give one.")
        return funnel_of(table, run, told) if funnel else codes_of(table, codes, told)
    return index_of(table, exact or bool(where), told)


def index_of(table: Table, exact: bool, told: Callable[[str], None]) -> Index | None:
    """What is asked in place of all rows: of a large table that need not be searched exactly, its index."""
    if exact or len(table) < LARGE or table.provenance.similarity not in INDEXED:
        return None
    made = indexed(table, told) if needed(table) < free_memory() // 2 else inside(table, told)
    told(f"Approximate: the index finds {made.about.recall:.1%} of the {TOP} nearest of its own rows; --exact compares all.")
    return made


def hold_where_it_fits(table: Table) -> None:
    """Keep the vectors of a table that is searched often in memory, if a quarter of what is free holds them."""
    if 4 * len(table) * table.provenance.dim <= free_memory() // 4:
        table.hold()


def _meant(
    query: str | Path | Samples | Written | np.ndarray, table: Table, run: Run | str | Path | None, device: str
) -> tuple[np.ndarray | Ragged, bytes | None]:
    """The vector that a query means, 1 × d, or those of its tokens, and its picture, if it has one."""
    if isinstance(query, Path | Samples | Written):
        return _embedded(query, table, run, device)
    if not isinstance(query, str):
        return np.asarray(query).reshape(1, -1), None
    found = table.at(table.positions([query]), ("vector", "thumbnail"))
    vectors = late.ragged(found) if table.provenance.form == "ragged" else vectors_of(found)
    return vectors, found.column("thumbnail")[0].as_py()


def _embedded(
    query: Path | Samples | Written, table: Table, run: Run | str | Path | None, device: str
) -> tuple[np.ndarray | Ragged, bytes | None]:
    """The vectors of one sample, or of words, and its picture."""
    run = _run_of(table, run, device)
    opened = from_strings([query.text]) if isinstance(query, Written) else sources.open(query)
    by = side_of(run, opened)
    samples = by.open(opened)
    if len(samples) > 1:
        raise TacitError(f"{samples.source} holds {len(samples):,} samples and a query is one; give a file with one.")
    content, index = first_readable(samples)
    return _represented(table, by, content, index), next(iter(thumbnails(samples, content)), None)


def _represented(table: Table, by: Run | Side, content: Any, index: np.ndarray) -> np.ndarray | Ragged:
    """Decoded queries as the table compares them: one vector of each, or those of all its tokens."""
    if table.provenance.form == "ragged":
        return late.represented(by, content, index)
    return by.represent(content, index)[0].numpy()


def _run_of(table: Table, run: Run | str | Path | None, device: str) -> Run:
    """The run that made a table, wherever it lies now; another is refused."""
    if run is None and not Path(table.provenance.run, "run.yaml").is_file():
        raise TacitError(
            f"{table.provenance.run}, which made {table.path}, holds no run; give --run, where it lies now, or search by an id "
            "or a vector."
        )
    if not isinstance(run, Run):
        run = Run(table.provenance.run if run is None else run, device)
    if run.fingerprint() != table.provenance.encoder:
        raise TacitError(
            f"{table.path} was made by another encoder than that of {run.path}; "
            f"give --run {table.provenance.run} or embed again."
        )
    return run
