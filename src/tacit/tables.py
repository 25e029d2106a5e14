"""`tacit embed` and `tacit search`: a run's vectors in a table, and the nearest of them."""

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tacit import data as sources
from tacit.data.checking import readable
from tacit.data.samples import Corrupt, Samples
from tacit.data.text.opening import from_strings
from tacit.data.text.samples import TextSamples
from tacit.embeddings.provenance import Provenance
from tacit.embeddings.read import Table, open_table
from tacit.embeddings.rows import Rows
from tacit.embeddings.search import Hit, Written, resolve
from tacit.embeddings.search import search as nearest
from tacit.embeddings.sheet import contact_sheet
from tacit.embeddings.write import write
from tacit.errors import TacitError
from tacit.picturing import thumbnails
from tacit.run import Run, chunks
from tacit.sides import Side, side_of
from tacit.views.sheet import save


def embed(
    run: Run | str | Path,
    data: Any,
    *,
    out: str | Path,
    kind: str | None = None,
    overwrite: bool = False,
    device: str = "auto",
    batch: int = 256,
) -> Table:
    """Stream a source through a run's encoder into the table `out` (`photos.lance`), in constant memory.

    Samples that cannot be read are left out and listed beside the table; above one per cent of them nothing is written.
    """
    if batch < 1:
        raise TacitError(f"--batch is {batch}; give 1 or more samples at once.")
    run = run if isinstance(run, Run) else Run(run, device)
    opened = sources.open(data, kind)
    by = side_of(run, opened)
    samples = by.open(opened).embedded()
    encoder = run.fingerprint()
    kept = "pair" if isinstance(by, Side) and by.kind != "text" else samples.kind  # such a table can be asked in words
    dim = by.represent(*_first(samples))[0].shape[1]
    provenance = Provenance(str(run.path.resolve()), encoder, "dense", run.similarity, dim, kept, version("tacit"))
    corrupt: list[Corrupt] = []
    table = write(out, _rows(by, samples, batch, corrupt), provenance, total=len(samples), overwrite=overwrite)
    listed = Path(out).with_suffix(".left-out.txt")
    listed.unlink(missing_ok=True)  # of the table that was replaced
    if corrupt:
        listed.write_text("".join(f"{sample.id}\t{sample.why}\n" for sample in corrupt))
    return table


def search(
    table: str | Path | Table,
    query: Any,
    *,
    top: int = 10,
    run: Run | str | Path | None = None,
    sheet: str | Path | None = None,
    device: str = "auto",
) -> list[Hit]:
    """The rows of a table that are nearest to an image, an id of the table, a vector, or words; best first.

    An image, or in a table of texts what is no id, is embedded by `run`, by default the run whose address the table carries; it
    must be the encoder that made the table. `sheet` writes a contact sheet of what was found.
    """
    table = table if isinstance(table, Table) else open_table(table)
    what = resolve(query, table) if isinstance(query, str) else query
    picture, exclude = None, []
    if isinstance(what, Path | Written):
        vector, picture = _embedded(what, table, run, device)
    elif isinstance(what, str):
        row = table.row(what)
        vector, picture, exclude = row.vector, row.thumbnail, [what]
    else:
        vector = np.asarray(what)
    (hits,) = nearest(table, vector.reshape(1, -1), top, exclude=exclude)
    if sheet is not None:
        save(contact_sheet(picture, hits), sheet)
    return hits


def _rows(run: Run | Side, samples: Samples, batch: int, corrupt: list[Corrupt]) -> Iterator[Rows]:
    """Batches of rows as the table takes them; what cannot be read is added to `corrupt`."""
    for content, good in readable(samples, batch, corrupt):
        (vectors,) = run.represent(content, good)
        pictures: list[bytes | None] = [*thumbnails(samples, content)]
        yield Rows(
            [samples.ids[i] for i in good],
            [samples.path(i) for i in good],
            [_label(samples, i) for i in good],
            vectors.numpy(),
            pictures or [None] * len(good),
            samples.said(good) if isinstance(samples, TextSamples) else None,
        )


def _first(samples: Samples) -> tuple[Any, np.ndarray]:
    """The content and position of the first sample that can be read."""
    for index in chunks(len(samples), 1):
        content, bad = samples.read(index)
        if not bad:
            return content, index
    raise TacitError(f"No sample of {samples.source} can be read; run tacit inspect on it to see why.")


def _embedded(
    query: Path | Written, table: Table, run: Run | str | Path | None, device: str
) -> tuple[np.ndarray, bytes | None]:
    """The vector of one file, or of words, and its picture."""
    if not isinstance(run, Run):
        run = Run(table.provenance.run if run is None else run, device)
    if run.fingerprint() != table.provenance.encoder:
        raise TacitError(
            f"{table.path} was made by another encoder than that of {run.path}; "
            f"give --run {table.provenance.run} or embed again."
        )
    opened = sources.open(query) if isinstance(query, Path) else from_strings([query.text])
    by = side_of(run, opened)
    samples = by.open(opened)
    if len(samples) > 1:
        raise TacitError(f"{query} holds {len(samples):,} samples and a query is one; give a file with one.")
    content, index = _first(samples)
    return by.represent(content, index)[0].numpy()[0], next(iter(thumbnails(samples, content)), None)


def _label(samples: Samples, position: int) -> str | None:
    if samples.labels is None or samples.labels[position] < 0:
        return None
    return samples.classes[samples.labels[position]]
