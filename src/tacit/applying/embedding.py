"""`tacit embed`: a run's vectors in a table."""

from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tacit import data as sources
from tacit.data.checking import readable
from tacit.data.samples import Corrupt, Samples
from tacit.data.text.samples import TextSamples
from tacit.embeddings.places import Address
from tacit.embeddings.provenance import Provenance
from tacit.embeddings.read import Missing, Table, Unfinished, open_table
from tacit.embeddings.rows import Rows
from tacit.embeddings.write import add, begun, check_encoder, sole_writer, write
from tacit.errors import TacitError
from tacit.picturing import thumbnails
from tacit.retrieval import tokens as late
from tacit.run import Run, chunks
from tacit.sides import Side, side_of


def embed(
    run: Run | str | Path,
    data: Any,
    *,
    out: str | Path | Address,
    kind: str | None = None,
    overwrite: bool = False,
    append: bool = False,
    renew: bool = False,
    tokens: bool = False,
    pool: int = 1,
    device: str = "auto",
    batch: int = 256,
    told: Callable[[str], None] = lambda sentence: None,
) -> Table:
    """Stream a source through a run's encoder into the table `out` (`photos.lance`, or an address such as
    `s3://bucket/photos.lance`), in constant memory.

    overwrite  replace a table of the same encoder that is there, once the new one is whole
    append     add to it the samples whose ids it has not
    renew      add these, and embed anew those that it has
    tokens     keep the vectors of each sample's tokens (patches of an image, words of a text) in place of one for all of it,
               which `search` then compares by late interaction
    pool       of these the means of groups of about so many (`retrieval.token_pooling`)
    told       hears what is gone on with

    What a kill broke off is gone on with by the same call: no sample twice, none left out. Samples that cannot be read are
    left out and listed beside the table; above one per cent of them nothing is written.
    """
    if batch < 1:
        raise TacitError(f"--batch is {batch}; give 1 or more samples at once.")
    if overwrite + append + renew > 1:
        raise TacitError("Of --overwrite, --append and --renew one says what becomes of a table that is there; give one.")
    if pool < 1 or (pool > 1 and not tokens):
        raise TacitError(f"--pool is {pool}; it counts the tokens that become one vector, 1 or more, and goes with --tokens.")
    run = run if isinstance(run, Run) else Run(run, device)
    opened = sources.open(data, kind)
    by = side_of(run, opened)
    samples = by.open(opened).embedded()
    encoder = run.fingerprint()
    kept = "pair" if isinstance(by, Side) and by.kind != "text" else samples.kind  # such a table can be asked in words
    dim = late.encoder_of(by).dim if tokens else by.represent(*first_readable(samples))[0].shape[1]
    form, similarity = ("ragged", late.SIMILARITY) if tokens else ("dense", run.similarity)
    provenance = Provenance(
        str(run.path.resolve()), encoder, form, similarity, dim, kept, version("tacit"), str(samples.source), pool
    )
    corrupt: list[Corrupt] = []
    with sole_writer(out) as place:
        there = _there(place) if append or renew else None
        if there is not None:
            check_encoder(there.provenance, provenance, place)
            done = [] if renew else there.ids()
        else:
            done = begun(place, provenance)
        if there is None and not set(samples.ids).issuperset(done):
            done = []  # of a source that has changed
        left = _without(samples.ids, done)
        if done:
            told(f"{len(samples.ids) - len(left):,} of {len(samples.ids):,} samples are in {place} already; the rest follows.")
        rows = _rows(by, samples, left, batch, corrupt, provenance)
        if there is not None:
            table = add(place, rows, renew=renew)
        else:
            table = write(place, rows, provenance, total=len(samples), overwrite=overwrite, go_on=bool(done))
    listed = place.with_suffix(".left-out.txt")
    if there is None:
        listed.unlink(missing_ok=True)  # of the table that was replaced
    if corrupt:
        listed.write_text("".join(f"{sample.id}\t{sample.why}\n" for sample in corrupt))
        told(f"{len(corrupt):,} samples cannot be read and are left out; {listed} names them.")
    return table


def _there(place: Path | Address) -> Table | None:
    """The table that is added to, if one is there."""
    try:
        return open_table(place)
    except (Missing, Unfinished):
        return None


def _without(ids: Sequence[str], done: Sequence[str]) -> np.ndarray:
    """The positions of the ids that are not done yet."""
    there = set(done)
    return np.array([position for position, id in enumerate(ids) if id not in there], np.int64)


def _rows(
    run: Run | Side, samples: Samples, left: np.ndarray, batch: int, corrupt: list[Corrupt], made: Provenance
) -> Iterator[Rows]:
    """Batches of rows at the positions `left`, as the table takes them; what cannot be read is added to `corrupt`."""
    for content, good in readable(samples, (left[some] for some in chunks(len(left), batch)), corrupt):
        vectors, offsets = _vectors(run, content, good, made)
        pictures: list[bytes | None] = [*thumbnails(samples, content)]
        yield Rows(
            [samples.ids[i] for i in good],
            [samples.path(i) for i in good],
            [_label(samples, i) for i in good],
            vectors,
            pictures or [None] * len(good),
            samples.said(good) if isinstance(samples, TextSamples) else None,
            None if samples.splits is None else [str(samples.splits[i]) or None for i in good],
            offsets,
        )


def _vectors(run: Run | Side, content: Any, good: np.ndarray, made: Provenance) -> tuple[np.ndarray, np.ndarray | None]:
    """One vector of each sample; or those of their tokens, and where each sample's begin."""
    if made.form == "dense":
        return run.represent(content, good)[0].numpy(), None
    found = late.represented(run, content, good, made.pool)
    return found.values.numpy(), found.offsets.numpy()


def first_readable(samples: Samples) -> tuple[Any, np.ndarray]:
    """The content and position of the first sample that can be read."""
    for index in chunks(len(samples), 1):
        content, bad = samples.read(index)
        if not bad:
            return content, index
    raise TacitError(f"No sample of {samples.source} can be read; run tacit inspect on it to see why.")


def _label(samples: Samples, position: int) -> str | None:
    if samples.labels is None or samples.labels[position] < 0:
        return None
    return samples.classes[samples.labels[position]]
