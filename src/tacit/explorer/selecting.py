"""A selection as a manifest: what was chosen on the map is a source that `tacit pretrain` takes."""

from importlib.metadata import version
from pathlib import Path
from re import fullmatch

import numpy as np

from tacit.curation.manifest import Decisions, write_manifest
from tacit.embeddings.places import address
from tacit.embeddings.read import BATCH, Table
from tacit.errors import TacitError

REASON = "not selected"


def save_selection(table: Table, rows: np.ndarray, folder: Path, name: str) -> Path:
    """Write all rows of a table into the manifest `folder`/`name`, of which these are kept.

    A name is that of a new file in the folder: no path, and nothing that is there is replaced.
    """
    name = name.strip()
    name = name if name.endswith(".parquet") else f"{name}.parquet"
    if not fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\.parquet", name):
        raise TacitError(
            f"{name[:110]!r} cannot name a selection; give letters, digits, '-', '_' and '.', such as cats.parquet."
        )
    if not len(rows):
        raise TacitError("Nothing is selected; draw around some points first.")
    if rows.min() < 0 or rows.max() >= len(table):
        raise TacitError(f"There are rows 0 to {len(table) - 1}, and {rows.max()} was selected; reload the page.")
    out = folder / name
    if out.exists():
        raise TacitError(f"{out} is there already; give another name.")
    decided = _decisions(table)
    left_out = np.ones(len(table), bool)
    left_out[rows] = False
    decided.drop("not selected", dict.fromkeys(np.flatnonzero(left_out).tolist(), REASON))
    made = table.provenance
    about = {"table": str(table.path.absolute()), "table_version": table.version, "encoder": made.encoder, "run": made.run}
    about |= {"options": {"selected": "by hand, on the map of tacit explore"}, "tacit": version("tacit")}
    folder.mkdir(parents=True, exist_ok=True)
    write_manifest(out, decided, address(made.source), made.kind, about)
    return out


def _decisions(table: Table) -> Decisions:
    """All rows, each still kept."""
    found: dict[str, list] = {name: [] for name in ("id", "path", "label", "split")}
    for batch in table.stream(16 * BATCH, tuple(found)):
        for name, column in found.items():
            column += batch.column(name).to_pylist()
    splits = np.array([mark or "train" for mark in found["split"]]) if any(found["split"]) else None
    return Decisions(found["id"], found["path"], found["label"], splits)
