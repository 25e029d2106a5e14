"""What `tacit curate` wrote, opened as a source: the samples of a table's source that are kept."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tacit.data.folders import SPLITS, Files
from tacit.data.images import EncodedImages
from tacit.data.labels import numbered
from tacit.data.samples import Samples
from tacit.data.shards import BRACES
from tacit.errors import TacitError

COLUMNS = ("id", "path", "label", "split", "kept", "source", "kind")


def is_manifest(file: Path) -> bool:
    """Whether a Parquet file has the columns that tell a manifest, of which one may be lost where it was changed since."""
    if file.suffix.lower() != ".parquet":
        return False
    try:
        return len({*COLUMNS} - {*pq.read_schema(file).names}) <= 1
    except (pa.ArrowException, OSError):
        return False


def open_manifest(file: Path, source: str, open_source: Callable[[str], Samples]) -> Samples:
    """The kept rows of a manifest: images by their paths where all have one, else those of the source that was embedded.

    Ids, labels and splits are those of the manifest or of the source; what is not kept is as if it were not there.
    """
    try:
        if missing := [name for name in COLUMNS if name not in pq.read_schema(file).names]:
            raise TacitError(f"{source} is a manifest without the column {missing[0]!r}; put it back, or curate again.")
        table = pq.read_table(file, columns=list(COLUMNS))
        kept = table["kept"].cast(pa.bool_()).to_numpy(zero_copy_only=False)
    except (pa.ArrowException, OSError) as error:
        raise TacitError(
            f"{source} is no readable manifest ({' '.join(str(error).split()).rstrip('.')}); curate again."
        ) from None
    if table["kept"].null_count:
        raise TacitError(
            f"{source} does not say of {table['kept'].null_count} rows whether they are kept; write true or false."
        )
    rows = table.take(np.flatnonzero(kept))
    if not len(rows):
        raise TacitError(f"{source} keeps none of its {len(table)} rows; set `kept` of some to true.")
    paths = rows["path"].to_pylist()
    if rows["kind"][0].as_py() == "image" and all(paths):
        return _images(rows, paths, file, source)
    return _taken(rows, source, open_source)


def _images(rows: pa.Table, paths: list[str], file: Path, source: str) -> Samples:
    marks = rows["split"].to_pylist()
    unknown = next((mark for mark in marks if mark is not None and mark not in SPLITS.values()), None)
    if unknown is not None or (None in marks and any(marks)):
        raise TacitError(f"The column split of {source} holds {unknown!r}; write train, val or test in every row, or in none.")
    names = np.array([label or "" for label in rows["label"].to_pylist()], np.str_)
    labels, classes = numbered(names, source) if names.any() else (None, ())
    splits = np.array(marks) if all(marks) else None
    notes = {"manifest": f"{len(rows)} rows are kept"}
    ids = rows["id"].to_pylist()
    return EncodedImages.of(source, Files(file.parent, paths), ids, labels=labels, classes=classes, splits=splits, notes=notes)


def _taken(rows: pa.Table, source: str, open_source: Callable[[str], Samples]) -> Samples:
    origin = rows["source"][0].as_py()
    if not origin or not (Path(origin).expanduser().exists() or BRACES.search(origin)):
        raise TacitError(
            f"{source} keeps samples of {origin or 'a source that is not recorded'}, which is not there; "
            "bring it back, or embed its new place and curate that."
        )
    samples = open_source(origin)
    where = {id: position for position, id in enumerate(samples.ids)}
    wanted = rows["id"].to_pylist()
    missing = [id for id in wanted if id not in where]
    if missing:
        raise TacitError(
            f"{len(missing)} of the {len(wanted)} samples that {source} keeps are not in {origin} any more, {missing[0]!r} for "
            "one; embed it again and curate that."
        )
    if samples.transductive:
        raise TacitError(f"{origin} is trained on as a whole, and {source} keeps a part of it; train on {origin} itself.")
    taken = samples.take(np.array([where[id] for id in wanted], np.int64))
    taken.source = source
    return taken
