"""`tacit predict`: what a head says of every sample of a source, in a file."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tacit import data as sources
from tacit.data.checking import readable
from tacit.data.samples import Corrupt, Samples
from tacit.embeddings.output import appearing
from tacit.embeddings.replacing import refuse_other
from tacit.errors import TacitError, positive
from tacit.few_labels.saved import Head, logits_of, open_head, told_of
from tacit.run import Run, chunks
from tacit.sides import side_of

SEPARATORS = {".csv": ",", ".tsv": "\t"}
SHOWN = 10  # classes in a sentence
DIGITS = 6  # of a probability, behind the point
FIELDS = pa.schema([("id", pa.string()), ("label", pa.string()), ("confidence", pa.float64()), ("abstained", pa.bool_())])


class Predictions(NamedTuple):
    """What was written."""

    path: Path
    rows: int
    abstained: int
    counts: dict[str, int]  # of the classes, among those answered, the commonest first
    corrupt: list[Corrupt]  # samples that could not be read, and have no row

    def __str__(self) -> str:
        shared = ", ".join(f"{name} {count:,}" for name, count in list(self.counts.items())[:SHOWN])
        lines = [f"{self.path} holds {self.rows:,} predictions: {shared or 'none is answered'}."]
        if self.abstained:
            lines.append(f"{self.abstained:,} of them are abstained from: the head is too unsure.")
        if self.corrupt:
            lines.append(f"{len(self.corrupt):,} samples could not be read: {self.corrupt[0].id} ({self.corrupt[0].why}), ….")
        return "\n".join(lines)


def predict(
    head: str | Path | Head,
    data: Any,
    *,
    out: str | Path,
    probabilities: bool = False,
    run: Run | str | Path | None = None,
    kind: str | None = None,
    device: str = "auto",
    batch: int = 256,
) -> Predictions:
    """Write a row for each sample of a source: id, label, confidence, and whether the head abstains; in constant memory.

    out            a .csv, .tsv or .parquet, written whole or not at all; predictions that are there are replaced, and any
                   other file is refused
    probabilities  also a column for each class
    run            where the head's run lies, if it has moved
    The label is given where the head abstains too. Samples that cannot be read are left out and named; above one per cent of
    them nothing is written.
    """
    out = Path(out)
    if out.suffix not in (*SEPARATORS, ".parquet") or out.is_dir():
        raise TacitError(f"--out {out} is no .csv, .tsv or .parquet; give the name of such a file.")
    own = len(FIELDS)
    refuse_other(out, "predictions", lambda there: there[:own] == FIELDS.names and all(n.startswith("p_") for n in there[own:]))
    positive(batch=batch)
    told = head.told if isinstance(head, Head) else told_of(Path(head))
    where = Path(told.run) if run is None else run
    if isinstance(where, str | Path) and not Path(where).is_dir():
        raise TacitError(f"The run {where} of this head is not there; say with --run where it lies now.")
    run = where if isinstance(where, Run) else Run(where, device)
    opened = sources.open(data, kind)
    by = side_of(run, opened)
    if by.fingerprint() != told.encoder:
        raise TacitError(
            f"This head was made on another encoder ({told.encoder[:12]}) than that of {run.path} ({by.fingerprint()[:12]}); "
            "give that one's run as --run, or fit again."
        )
    samples = by.open(opened).embedded()
    answer = logits_of(head if isinstance(head, Head) else open_head(head, run), by)
    chance = [pa.field(f"p_{name}", pa.float64()) for name in told.classes] * probabilities
    schema, corrupt = pa.schema([*FIELDS, *chance]), list[Corrupt]()
    answered, silent = Counter[str](), 0
    with _writing(out, schema) as write:
        for content, good in readable(samples, chunks(len(samples), batch), corrupt):
            chances = (answer(content, good).double() / told.temperature).softmax(1).numpy()
            confidence, labels = chances.max(1), [told.classes[place] for place in chances.argmax(1)]
            abstains = confidence < told.threshold
            columns = [_names(samples, good), labels, confidence.round(DIGITS), abstains]
            columns += [*chances.T.round(DIGITS)] * probabilities
            write(pa.record_batch([pa.array(column) for column in columns], schema=schema))
            answered.update(label for label, abstained in zip(labels, abstains) if not abstained)
            silent += int(abstains.sum())
    return Predictions(out, answered.total() + silent, silent, dict(answered.most_common()), corrupt)


@contextmanager
def _writing(out: Path, schema: pa.Schema) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """What takes batches of rows, into a file that appears when it is whole."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with appearing(out) as part:
        if out.suffix == ".parquet":
            with pq.ParquetWriter(part, schema) as table:
                yield table.write_batch
        else:
            with part.open("w", newline="", encoding="utf-8") as file:
                lines = csv.writer(file, delimiter=SEPARATORS[out.suffix], lineterminator="\n")
                lines.writerow(schema.names)
                yield lambda batch: lines.writerows(zip(*(column.to_pylist() for column in batch.columns)))


def _names(samples: Samples, index: np.ndarray) -> pa.Array:
    try:
        return pa.array([samples.ids[i] for i in index.tolist()], pa.string())
    except UnicodeEncodeError as error:
        raise TacitError(f"The name {error.object!r} is not UTF-8 and cannot be written; rename that file.") from error
