"""The versions of a table: listed, gone back to, forgotten."""

from datetime import datetime
from typing import NamedTuple

from tacit.embeddings.read import Table, open_table, reading, whole_versions
from tacit.embeddings.write import changing, compact
from tacit.errors import TacitError


class Version(NamedTuple):
    """What a table was after one change."""

    number: int
    time: datetime
    rows: int


def versions(table: Table) -> list[Version]:
    """All that are kept and were whole, the oldest first."""
    with reading(table.path):
        found = whole_versions(table.lance)
    read = [Version(entry["version"], entry["timestamp"], int(entry["metadata"]["total_rows"])) for entry in found]
    return [entry for entry in read if entry.number <= table.version]


def restored(table: Table, number: int) -> Table:
    """The table as it was in a version, which becomes its newest; those between are kept."""
    kept = [entry.number for entry in versions(table)]
    if number not in kept:
        raise TacitError(f"{table.path} has no version {number}; it has {', '.join(map(str, kept))}.")
    with changing(table.path) as lance:
        lance.restore(number)
    return open_table(table.path)


def compacted(table: Table) -> Table:
    """The table in few large pieces, without its earlier versions and what a kill left lying."""
    with changing(table.path) as lance:
        compact(lance)
    return open_table(table.path)
