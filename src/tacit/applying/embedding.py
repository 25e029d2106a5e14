"""`tacit embed`: a run's vectors in a table."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from platform import node
from typing import Any

import numpy as np

from tacit import data as sources
from tacit.applying.many import Engine, engine_of
from tacit.data.checking import refuse_many
from tacit.data.samples import Corrupt, Samples
from tacit.data.tabular.cells import cells
from tacit.data.tabular.rows import TableRows
from tacit.data.text.samples import TextSamples
from tacit.embeddings.places import Address, address, whole
from tacit.embeddings.provenance import Provenance
from tacit.embeddings.read import Table, there
from tacit.embeddings.rows import Rows, refuse_repeated
from tacit.embeddings.write import add, begun, check_encoder, sole_writer, write
from tacit.errors import TacitError
from tacit.material import hash_of_ids
from tacit.picturing import thumbnails
from tacit.retrieval import tokens as late
from tacit.run import Run, chunks
from tacit.sides import Side, side_of

ROUNDING = 0.02  # of a vector's length, by which those of one sample may differ from machine to machine

# From what was read of samples at their positions: a vector each; or those of their tokens, and where each sample's begin.
Vectors = Callable[[Run | Side, Any, np.ndarray], tuple[np.ndarray, np.ndarray | None]]


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
    engine: Engine | str = "local",
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
    engine     who reads and encodes: "local", "ray" (docs/billion.md), or an engine of `applying.many`; what is written, by
               this process alone, is the same
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
    engine = engine_of(engine)
    if engine.apart and not isinstance(data, str | Path):
        raise TacitError("Workers of a cluster open the data by its address; give a path in place of what is in memory.")
    run = run if isinstance(run, Run) else Run(run, device)
    opened = sources.open(data, kind)
    by = side_of(run, opened)
    samples = by.open(opened).embedded()
    refuse_repeated(lambda: samples.ids, samples.source)
    encoder = run.fingerprint()
    kept = "pair" if isinstance(by, Side) and by.kind != "text" else samples.kind  # such a table can be asked in words
    dim = late.encoder_of(by).dim if tokens else by.represent(*first_readable(samples))[0].shape[1]
    form, similarity = ("ragged", late.SIMILARITY) if tokens else ("dense", run.similarity)
    source = address(str(samples.source))
    provenance = Provenance(str(run.path.resolve()), encoder, form, similarity, dim, kept, version("tacit"), source, pool)
    corrupt: list[Corrupt] = []
    vectors: Vectors = partial(_of_tokens, pool=pool) if tokens else _one_each
    make: Callable[[], Batches] = partial(Batches, by, samples, vectors)
    if engine.apart:
        make = partial(Batches.of, str(run.path), data, kind, device, hash_of_ids(samples), vectors)
    with sole_writer(out) as place:
        old = there(place) if append or renew else None
        if old is not None:
            check_encoder(old.provenance, provenance, place)
            there_already = old.ids()
            _refuse_others(old, Batches(by, samples, vectors), there_already, source, renew)
            done = [] if renew else there_already
        else:
            done = begun(place, provenance)
        if old is None and not set(samples.ids).issuperset(done):
            done = []  # of a source that has changed
        left = _without(samples.ids, done)
        if done:
            told(f"{len(samples.ids) - len(left):,} of {len(samples.ids):,} samples are in {place} already; the rest follows.")
        with engine.workers(make) as each:
            rows = _rows(each(left[some] for some in chunks(len(left), batch)), samples, corrupt)
            if old is not None:
                table = add(place, rows, renew=renew)
            else:
                table = write(place, rows, provenance, total=len(samples), overwrite=overwrite, go_on=bool(done))
    listed = place.with_suffix(".left-out.txt")
    if old is None:
        listed.unlink(missing_ok=True)  # of the table that was replaced
    if corrupt:
        listed.write_text("".join(f"{sample.id}\t{sample.why}\n" for sample in corrupt))
        told(f"{len(corrupt):,} samples cannot be read and are left out; {listed} names them.")
    return table


def _refuse_others(table: Table, own: "Batches", ids: Sequence[str], source: str, renew: bool) -> None:
    """Refuse a source whose ids name other samples in the table, told by the vectors of three that both have.

    Ids may only count rows, or be paths below a folder, so what one source calls so another may too. A file of the same folder
    may have changed, which --append leaves as it is; and --renew is asked for such changes, but not by what counts its rows and
    is another source.
    """
    samples, before = own.samples, table.provenance.source
    same, counted = Path(address(before)) == Path(source), samples.path(0) is None
    if samples.transductive or (same and not counted) or (renew and (same or not counted)):
        return
    there = set(ids)
    both = [position for position, id in enumerate(samples.ids) if id in there]
    rows, _ = own(np.array([*{both[0], both[len(both) // 2], both[-1]}], np.int64)) if both else (None, [])
    if rows is None:
        return
    ends = np.arange(len(rows.ids) + 1) if rows.offsets is None else rows.offsets
    held = table.at(table.positions(rows.ids), ("vector",)).column("vector").to_pylist()
    for id, start, end, vectors in zip(rows.ids, ends, ends[1:], held):
        new, old = rows.vectors[start:end], np.array(vectors, np.float32).reshape(-1, rows.vectors.shape[1])
        if new.shape != old.shape or np.linalg.norm(new - old) > ROUNDING * np.linalg.norm(old):
            todo = "give --renew to embed anew what it has, or another --out" if same else "embed it into another table"
            raise TacitError(
                f"{table.path} holds {id!r} of {before or 'a source without a name'}, and that of {source} is another "
                f"sample, by its vector; {todo}."
            )


def _without(ids: Sequence[str], done: Sequence[str]) -> np.ndarray:
    """The positions of the ids that are not done yet."""
    there = set(done)
    return np.array([position for position, id in enumerate(ids) if id not in there], np.int64)


class Batches:
    """What makes rows of a table from positions in a source; in a process of its own, opened there by its address."""

    def __init__(self, by: Run | Side, samples: Samples, vectors: Vectors):
        self.by, self.samples, self.vectors = by, samples, vectors

    @classmethod
    def of(cls, run: str, data: str | Path, kind: str | None, device: str, ids: str, vectors: Vectors) -> "Batches":
        """From addresses; a TacitError where the samples there are not those of the caller, told by the hash of their ids."""
        opened = sources.open(data, kind)
        by = side_of(Run(run, device), opened)
        samples = by.open(opened).embedded()
        if hash_of_ids(samples) != ids:
            raise TacitError(
                f"{data} holds other samples on {node()} than where the work was begun; give a folder that all share."
            )
        return cls(by, samples, vectors)

    def __call__(self, index: np.ndarray) -> tuple[Rows | None, list[Corrupt]]:
        """The rows of those that can be read, as the table takes them, and the others."""
        samples = self.samples
        content, bad = samples.read(index)
        corrupt = [Corrupt(samples.ids[position], why) for position, why in bad.items()]
        good = np.array([position for position in index.tolist() if position not in bad], np.int64)
        if not len(good):
            return None, corrupt
        vectors, offsets = self.vectors(self.by, content, good)
        pictures: list[bytes | None] = [*thumbnails(samples, content)]
        rows = Rows(
            [samples.ids[i] for i in good],
            [path and whole(path) for path in map(samples.path, good.tolist())],
            [_label(samples, i) for i in good],
            vectors,
            pictures or [None] * len(good),
            samples.said(good) if isinstance(samples, TextSamples) else None,
            None if samples.splits is None else [str(samples.splits[i]) or None for i in good],
            offsets,
            cells(samples, good) if isinstance(samples, TableRows) else None,
        )
        return rows, corrupt


def _rows(found: Iterable[tuple[Rows | None, list[Corrupt]]], samples: Samples, corrupt: list[Corrupt]) -> Iterator[Rows]:
    """Batches of rows; what could not be read is added to `corrupt`, of which more than one per cent is refused."""
    for rows, bad in found:
        corrupt += bad
        refuse_many(corrupt, samples)
        if rows is not None:
            yield rows


def _one_each(by: Run | Side, content: Any, good: np.ndarray) -> tuple[np.ndarray, None]:
    """One vector of each sample."""
    return by.represent(content, good)[0].numpy(), None


def _of_tokens(by: Run | Side, content: Any, good: np.ndarray, *, pool: int) -> tuple[np.ndarray, np.ndarray]:
    """Those of the tokens of all samples, and where each sample's begin."""
    found = late.represented(by, content, good, pool)
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
