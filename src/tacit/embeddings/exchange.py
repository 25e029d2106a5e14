"""Tables and the files of others: vectors out to Parquet, NumPy and faiss, and in from Parquet and NumPy."""

import hashlib
import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tacit.embeddings.index import INDEXED, saved, unit
from tacit.embeddings.output import appearing
from tacit.embeddings.places import Address
from tacit.embeddings.provenance import Provenance
from tacit.embeddings.read import BATCH, Table, mapped_array, there
from tacit.embeddings.replacing import not_ours, refuse_other
from tacit.embeddings.rows import COLUMNS, Rows, refuse_repeated, vectors_of
from tacit.embeddings.write import sole_writer, write
from tacit.errors import TacitError

ENDINGS = (".parquet", ".npy", ".faiss")


def export(table: Table, out: Path | str) -> Path:
    """Write a table's rows, in their order, as what the ending of `out` says; whole or not at all, streamed.

    .parquet  every column, with the provenance in the schema's metadata
    .npy      the vectors, float32, n × d; their ids, a line each, in the file of that name ending in .ids.txt
    .faiss    a flat index of the vectors by inner product (of length one where they are compared by the cosine), and the ids
              likewise
    """
    out = Path(out)
    if out.suffix not in ENDINGS:
        raise TacitError(f"{out} ends in none of {', '.join(ENDINGS)}; give such a name.")
    record = _refuse_other(out)
    ids = [] if out.suffix == ".parquet" else table.ids()
    if broken := next((id for id in ids if "\n" in id or "\r" in id), None):
        raise TacitError(
            f"The id {broken!r} of {table.path} goes over a line, and {out.suffix} has one for each; export .parquet."
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".parquet":
        with appearing(out) as part:
            _parquet(table, part)
        return out
    with appearing(out) as part, appearing(out.with_suffix(".ids.txt")) as named:
        _WRITERS[out.suffix](table, part)
        named.write_text("".join(f"{id}\n" for id in ids), encoding="utf-8")
        written = {out.name: _state(part), out.with_suffix(".ids.txt").name: _state(named)}
        with appearing(_record(out)) as told:  # before they take their places: what is cut off then is known for ours
            told.write_text(json.dumps([*record, written]), encoding="utf-8")
    with appearing(_record(out)) as told:
        told.write_text(json.dumps([{name: state for states in (*record, written) for name, state in states.items()}]))
    return out


def _refuse_other(out: Path) -> list[dict[str, list[int]]]:
    """Refuse to replace what no export wrote, and to lay ids beside vectors of others, whose they would be taken for.

    A Parquet file is known by its columns; of the others the record beside them, which is returned, says how they were written.
    """
    if out.suffix == ".parquet":
        refuse_other(out, "table's rows", {*COLUMNS}.issubset)
        return []
    try:
        record = json.loads(_record(out).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        record = []
    for file in (out.with_suffix(ending) for ending in (".ids.txt", *ENDINGS[1:])):
        if file.exists() and not any(states.get(file.name) == _state(file) for states in record):
            raise not_ours(file, "export of this command, or was changed since")
    return record


def _record(out: Path) -> Path:
    """Where it stands which files of this stem were exported."""
    return out.with_name(f".{out.stem}.export.json")


def _state(file: Path) -> list[int]:
    """By which a file is known again while nobody has written it anew."""
    about = file.stat()
    return [about.st_size, about.st_mtime_ns]


def _parquet(table: Table, part: Path) -> None:
    form = table.lance.schema
    with pq.ParquetWriter(part, form) as file:
        for batch in table.stream(BATCH, form.names):
            file.write_batch(batch.cast(form))


def _numpy(table: Table, part: Path) -> None:
    shape = (len(table), table.provenance.dim)
    with part.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        for batch in table.stream(BATCH, ("vector",)):
            file.write(np.ascontiguousarray(vectors_of(batch), "<f4").data)


def _faiss(table: Table, part: Path) -> None:
    import faiss

    made = table.provenance
    if made.similarity not in INDEXED:
        raise TacitError(f"{table.path} is compared by {made.similarity}, for which faiss has no flat index; export .parquet.")
    flat = faiss.IndexFlatIP(made.dim)
    for batch in table.stream(16 * BATCH, ("vector",)):
        flat.add(unit(vectors_of(batch), made.similarity))
    saved(flat, part)


_WRITERS = {".npy": _numpy, ".faiss": _faiss}


def take_in(
    file: Path | str, out: Path | str | Address, *, encoder: str, similarity: str = "cosine", overwrite: bool = False
) -> Table:
    """Make a table of vectors that others made: a Parquet file with columns `id` and `vector` (of which `path`, `label` and
    `split` are taken along), or a .npy of n × d, whose rows are called 0…n−1 or as the lines of NAME.ids.txt beside it.

    `encoder` is the name of what made them: tables of other names are never mixed with it. Such a table is searched by ids and
    by vectors.
    """
    file = Path(file)
    if similarity not in INDEXED:
        raise TacitError(
            f"Vectors of others are compared by {' or '.join(INDEXED)}, and {similarity!r} came; give one of these."
        )
    if file.suffix not in (".parquet", ".npy") or not file.is_file():
        raise TacitError(f"{file} is no .parquet or .npy file of vectors; give one.")
    try:
        total, dim, rows = (_rows_of_parquet if file.suffix == ".parquet" else _rows_of_numpy)(file)
    except (pa.ArrowException, ValueError, EOFError, OSError) as error:
        raise TacitError(f"{file} cannot be read ({str(error).splitlines()[0]}); write it anew.") from error
    name = hashlib.sha256(encoder.encode()).hexdigest()
    made = Provenance(encoder, name, "dense", similarity, dim, "vector", version("tacit"), str(file.resolve()))
    with sole_writer(out) as place:
        if not overwrite and (old := there(place)) is not None:
            raise TacitError(f"{place} is there already, with {len(old)} rows; give another name or move it away.")
        return write(place, rows, made, total=total, overwrite=overwrite)


def _rows_of_parquet(file: Path) -> tuple[int, int, Iterator[Rows]]:
    source = pq.ParquetFile(file)
    names = source.schema_arrow.names
    if missing := {"id", "vector"} - set(names):
        raise TacitError(f"{file} has columns {', '.join(names)} and lacks {', '.join(sorted(missing))}; rename or add them.")
    kind = source.schema_arrow.field("vector").type
    of_lists = pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not of_lists or not (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
        raise TacitError(
            f"The column `vector` of {file} is {kind}, and lists of numbers were expected; write one for each row."
        )
    dim = _width(source)
    if not dim:
        raise TacitError(f"The first vector of {file} holds no number; mend or leave out such rows.")
    refuse_repeated(lambda: (id for batch in source.iter_batches(columns=["id"]) for id in _said(batch, "id")), file)
    taken = [name for name in ("id", "path", "label", "split") if name in names]

    def rows() -> Iterator[Rows]:
        for batch in source.iter_batches(BATCH, columns=[*taken, "vector"]):
            column = batch.column("vector")
            flat = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
            if len(flat) != len(batch) * dim or column.null_count:
                raise TacitError(f"The vectors of {file} are not all of {dim} numbers; mend or leave out the others.")
            said = {name: _said(batch, name) for name in taken}
            none: list[str | None] = [None] * len(batch)
            ids = [id for id in said["id"] if id is not None]  # of which none is missing
            yield Rows(
                ids, said.get("path", none), said.get("label", none), flat.reshape(-1, dim), [None] * len(ids),
                splits=said.get("split", none),
            )  # fmt: skip

    return source.metadata.num_rows, dim, rows()


def _width(source: pq.ParquetFile) -> int:
    """How many numbers the first vector holds that is there."""
    batches = source.iter_batches(BATCH, columns=["vector"])
    return next(
        (len(one) for batch in batches for one in batch.column(0) if one.is_valid), 0 if source.metadata.num_rows else 1
    )


def _said(batch: pa.RecordBatch, name: str) -> list[str | None]:
    return [None if value is None else str(value) for value in batch.column(name).to_pylist()]


def _lines(file: Path) -> list[str]:
    """Ids may hold whatever else `splitlines` takes for an end, such as U+2028."""
    try:
        return file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise TacitError(f"{file} is no text in UTF-8 ({error.reason}); write it so, an id a line.") from error


def _rows_of_numpy(file: Path) -> tuple[int, int, Iterator[Rows]]:
    vectors = mapped_array(file)
    if vectors.ndim != 2 or vectors.dtype.kind not in "fiu" or not vectors.shape[1]:
        raise TacitError(
            f"{file} holds {vectors.dtype} of shape {vectors.shape}, and n × d numbers were expected; save them so."
        )
    beside = file.with_suffix(".ids.txt")
    ids = _lines(beside) if beside.is_file() else [str(number) for number in range(len(vectors))]
    if len(ids) != len(vectors):
        raise TacitError(f"{beside} has {len(ids)} lines and {file} {len(vectors)} rows; give each row its line.")
    refuse_repeated(lambda: ids, beside)

    def rows() -> Iterator[Rows]:
        for start in range(0, len(vectors), BATCH):
            some = ids[start : start + BATCH]
            part = np.array(vectors[start : start + BATCH], np.float32)
            yield Rows(some, [None] * len(some), [None] * len(some), part, [None] * len(some))

    return len(vectors), vectors.shape[1], rows()
