"""What else a user knows of each row: columns of a list of his own, joined to a table."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq

from tacit.embeddings.places import whole
from tacit.embeddings.read import BATCH, Table, open_table
from tacit.embeddings.rows import schema
from tacit.embeddings.write import changing
from tacit.errors import TacitError, unknown

NAMES = ("id", "path")  # columns that say whose row it is; the first that is there
UNKNOWN = 0.1  # the share of rows for ids that are not there, above which they are of other data
KINDS = (
    pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_string, pa.types.is_large_string,
    pa.types.is_temporal,
)  # fmt: skip


def joined(table: Table, file: Path | str) -> tuple[Table, str]:
    """A table with the columns of a .csv, .tsv or .parquet that has the column `id`, or `path` told from its folder, and a
    sentence on what was joined; the list is held in memory.

    Conditions (`--where`) may then be on these columns, and clusters are named by those that hold words. What a list does not
    name has null there, and so have rows that are added later. A column that was joined before is written anew for the rows
    that the list names. Rows for ids that are not there are counted and left out; where they are more than a tenth of all,
    they are refused. Joined rows go to the table's end.
    """
    file = Path(file)
    given = _read(file)
    by = next((name for name in NAMES if name in given.column_names), None)
    if by is None:
        raise unknown(f"column of {file}", "id", given.column_names)
    first = given.column_names.index(by)
    others = [at for at, name in enumerate(given.column_names) if at != first and (name == by or name not in NAMES)]
    given = given.select([first, *others])
    _check_columns(given, table, file)
    given = given.set_column(0, by, pc.cast(given.column(by), pa.string()))
    given = _by_id(given, table, file) if by == "path" else given
    _check_ids(given, file)
    ids = given.column("id").to_pylist()
    known = table.find(ids) >= 0
    strange = int(len(ids) - known.sum())
    if strange > UNKNOWN * len(ids):
        name = ids[int(np.flatnonzero(~known)[0])]
        raise TacitError(
            f"{strange} of {len(ids)} rows of {file} are of no row of {table.path}, {name!r} for one (the nearest is "
            f"{table.nearest_id(name)!r}); correct them, or give the list of this table."
        )
    given = given.filter(pa.array(known))
    with changing(table.path) as lance:
        fresh = [field for field in given.schema if field.name not in lance.schema.names]
        if fresh:
            lance.add_columns(pa.schema([field.with_nullable(True) for field in fresh]))
        lance.merge_insert("id").when_matched_update_all().execute(given)
    left = f", and {strange} rows of {file} are of none of them and left out" if strange else ""
    names = ", ".join(given.column_names[1:])
    return open_table(table.path), f"{names} of {len(given):,} of the {len(table):,} rows come from {file}{left}."


def _read(file: Path) -> pa.Table:
    if file.suffix not in (".csv", ".tsv", ".parquet") or not file.is_file():
        raise TacitError(f"{file} is no .csv, .tsv or .parquet; give a list with the column id and others.")
    try:
        if file.suffix == ".parquet":
            return pq.read_table(file)
        names = dict.fromkeys(NAMES, pa.string())  # 001 is another than 1
        by = csv.ParseOptions(delimiter=_separator(file))
        return csv.read_csv(file, parse_options=by, convert_options=csv.ConvertOptions(column_types=names))
    except (pa.ArrowInvalid, OSError) as error:
        why = str(error).splitlines()[0].partition(". ")[0].rstrip(".")
        raise TacitError(f"{file} cannot be read as a list ({why}); write it anew with a header and equal rows.") from error


def _separator(file: Path) -> str:
    """What parts the columns of a list; of a .csv the commonest in its header."""
    if file.suffix == ".tsv":
        return "\t"
    with file.open("rb") as lines:
        return max(",;\t", key=lines.readline().decode(errors="replace").count)


def _check_columns(given: pa.Table, table: Table, file: Path) -> None:
    """Columns that can be joined: of plain values, under names that a condition can say and that are not the table's own."""
    if len(given.column_names) < 2 or not len(given):
        raise TacitError(f"{file} has {len(given)} rows and {len(given.column_names) - 1} columns to join; give one or more.")
    own = schema(table.provenance).names
    for field in list(given.schema)[1:]:
        there = table.lance.schema.field(field.name).type if field.name in table.lance.schema.names else field.type
        if field.name in own or not re.fullmatch(r"[a-z][a-z0-9_]*", field.name) or given.column_names.count(field.name) > 1:
            raise TacitError(
                f"The column {field.name!r} of {file} cannot be joined; give it a name of small letters, digits and '_' that "
                f"is none of {', '.join(own)}, and once."
            )
        if not any(kind(field.type) for kind in KINDS):
            raise TacitError(
                f"The column {field.name!r} of {file} is {field.type}; give numbers, words, dates or true and false."
            )
        if there != field.type:
            raise TacitError(
                f"The column {field.name!r} of {file} is {field.type}, and {table.path} has one of {there}; "
                "give it another name."
            )


def _by_id(given: pa.Table, table: Table, file: Path) -> pa.Table:
    """The list by ids, found by the paths of the rows; a path that no row has stays as its id, which is none."""
    of: dict[str, str] = {}
    for batch in table.stream(16 * BATCH, ("id", "path")):
        paths = batch.column("path").to_pylist()
        of |= {whole(path): id for id, path in zip(batch.column("id").to_pylist(), paths) if path}
    asked = [path and whole(str(file.parent / path)) for path in given.column("path").to_pylist()]
    return given.set_column(0, "id", pa.array([of.get(path, path) for path in asked], pa.string()))


def _check_ids(given: pa.Table, file: Path) -> None:
    counts = pc.value_counts(given.column("id")).to_pylist()
    for found in counts:
        if found["values"] is None or found["counts"] > 1:
            what = "no id" if found["values"] is None else f"the id {found['values']!r}"
            raise TacitError(f"{file} has {what} in {found['counts']} rows; give each row an id of its own.")
