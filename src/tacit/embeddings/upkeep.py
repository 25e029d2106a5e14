"""The versions of a table: listed, gone back to, forgotten."""

from datetime import datetime
from typing import NamedTuple

from tacit.embeddings.read import Table, open_table, reading
from tacit.embeddings.write import compact, sole_writer


class Version(NamedTuple):
    """What a table was after one change."""

    number: int
    time: datetime
    rows: int


def versions(table: Table) -> list[Version]:
    """All that are kept, the oldest first."""
    with reading(table.path):
        found = table.lance.list_versions()
    read = [Version(entry["version"], entry["timestamp"], int(entry["metadata"]["total_rows"])) for entry in found]
    return [entry for entry in read if entry.rows]  # the first is made without rows


def restored(table: Table, number: int) -> Table:
    """The table as it was in a version, which becomes its newest; those between are kept."""
    open_table(table.path, number)  # refuses one that is not there
    with sole_writer(table.path), reading(table.path):
        table.lance.restore(number)
    return open_table(table.path)


def compacted(table: Table) -> Table:
    """The table in few large pieces, without its earlier versions and what a kill left lying."""
    with sole_writer(table.path), reading(table.path):
        compact(table.lance)
    return open_table(table.path)
