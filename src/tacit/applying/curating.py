"""`tacit curate`: which rows of a table are worth learning from, decided by their vectors and written down with the reasons."""

from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tacit.applying.many import Engine, engine_of
from tacit.curation.choosing import at_hazard, balanced, diverse, typical
from tacit.curation.duplicates import Duplicates, near_duplicates
from tacit.curation.hashes import BITS, hashes_of
from tacit.curation.manifest import Decisions, write_manifest
from tacit.curation.shared_search import Comparing, near_duplicates_by
from tacit.curation.steps import drop_alike, drop_by_neighbours, drop_leaking, drop_near, thin
from tacit.data.memory import free_memory
from tacit.embeddings.index import INDEXED
from tacit.embeddings.output import parquet_file
from tacit.embeddings.places import address
from tacit.embeddings.read import BATCH, Table, open_table
from tacit.embeddings.rows import COLUMNS, vectors_of
from tacit.errors import TacitError, positive
from tacit.numerics.exact import unit

SIMILAR, FAR = 0.98, 3.0  # where nothing else is said
SHARES = 64  # parts of a block that workers of a cluster compare: more than there are of them, so that none waits long
NOT_THINNED = "not thinned: of the"  # the reason of what is held out


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    keep: int | None
    balance: bool
    typical: bool
    diverse: bool
    drop_duplicates: bool
    drop_leaks: bool
    drop_outliers: bool
    drop_doubtful: bool
    similar: float
    hamming: int | None
    within_folders: bool
    far: float
    seed: int


@dataclass(frozen=True)
class Curation:
    """What was decided of a table: `out` holds every row with its reason."""

    out: Path
    table: str
    rows: int
    kept: int
    held_out: int  # of the kept: rows of the validation and the test part, which are not thinned
    dropped: dict[str, int]  # why -> how many
    notes: list[str]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return asdict(self) | {"out": str(self.out)}

    def __str__(self) -> str:
        lines = [f"{self.kept:,} of the {self.rows:,} rows of {self.table} are kept; {self.out} says why of each."]
        lines += [f"{count:>9,}  {why}" for why, count in self.dropped.items()]
        held = f"{self.held_out:,} of the kept are held out for judging; what is thinned is what is trained on."
        return "\n".join([*lines, *([held] if self.held_out else []), *self.notes])


def curate(
    table: str | Path | Table,
    *,
    out: str | Path,
    keep: int | None = None,
    balance: bool = False,
    typical: bool = False,
    diverse: bool = False,
    drop_duplicates: bool = False,
    drop_leaks: bool = False,
    drop_outliers: bool = False,
    drop_doubtful: bool = False,
    similar: float | None = None,
    hamming: int | None = None,
    within_folders: bool = False,
    far: float | None = None,
    overwrite: bool = False,
    engine: Engine | str = "local",
    seed: int = 0,
) -> Curation:
    """Decide which rows of a table are kept, and write all of them, each with its reason, into the manifest `out`.

    What is thinned is the training part, where the table knows of one; the other parts are kept as they are. The decisions
    come in the order of these options, and whoever is first to drop a row gives the reason:

    drop_duplicates  rows whose cosine with a row kept before is `similar` (0.98) or more (`curation.duplicates`: exact)
    hamming          with it: also pictures whose 64-bit difference hash is within so many bits of a kept one's, by the
                     table's thumbnails; `within_folders` compares only what lies in one folder, such as the slices of a volume
    drop_leaks       rows whose cosine with a row of the validation or test part is `similar` or more
    drop_outliers    rows whose mean distance to their 20 nearest is `far` (3) quartile distances above the third quartile
    drop_doubtful    rows whose label their neighbours contradict (`curation.doubtful`)
    keep             of what is left so many: drawn at random, or
                     balance: evenly over the levels of hierarchical k-means, however often a thing occurs
                     typical: the most typical of each cluster; diverse: each as far as can be from the others

    engine           who looks for near duplicates: "local", "ray" (docs/billion.md), or an engine of `applying.many`; each
                     worker holds all vectors, and what is found is the same

    The manifest has a column `kept` that may be changed, and `tacit.pretrain` takes it as a source. Vectors are held in
    memory. No file of the source is touched. What was decided depends on the table, the options and `seed` alone.
    """
    if similar is not None and not (drop_duplicates or drop_leaks):
        raise TacitError("--similar says which rows repeat one another; give --drop-duplicates or --drop-leaks too.")
    if far is not None and not drop_outliers:
        raise TacitError("--far says which rows are outliers; give --drop-outliers too.")
    similar, far = SIMILAR if similar is None else similar, FAR if far is None else far
    asked = Options(
        keep, balance, typical, diverse, drop_duplicates, drop_leaks, drop_outliers, drop_doubtful, similar, hamming,
        within_folders, far, seed
    )  # fmt: skip
    _check(asked)
    engine = engine_of(engine)
    table = table if isinstance(table, Table) else open_table(table)
    out = parquet_file(out)
    if out.exists() and not overwrite:
        raise TacitError(f"{out} is there already; --overwrite replaces it, or give another name.")
    decided, vectors, hashes = _read(table, hamming is not None)
    notes = _decide(decided, vectors, hashes, table, asked, engine)
    made = table.provenance
    about = {"table": str(table.path.absolute()), "table_version": table.version, "encoder": made.encoder, "run": made.run}
    about |= {"options": asdict(asked), "tacit": version("tacit")}
    write_manifest(out, decided, address(made.source), made.kind, about)
    kept, held = int(decided.kept.sum()), sum(reason.startswith(NOT_THINNED) for reason in decided.reasons)
    return Curation(out, str(table.path), len(decided.ids), kept, held, decided.kinds, notes)


def _decide(
    decided: Decisions,
    vectors: torch.Tensor,
    hashes: tuple[np.ndarray, np.ndarray] | None,
    table: Table,
    asked: Options,
    engine: Engine,
) -> list[str]:
    """All steps that were asked for, in their order; what is to be said beside them."""
    x, splits = unit(vectors), decided.splits
    trained = np.arange(len(decided.ids)) if splits is None else np.flatnonzero(splits == "train")
    held = np.setdiff1d(np.arange(len(decided.ids)), trained)
    if not len(trained):
        raise TacitError("The table holds no row of a training part; embed what is to be trained on.")
    for row in held.tolist():
        decided.reasons[row] = f"{NOT_THINNED} {splits[row]} part"  # type: ignore[index]  # rows are held out
    if asked.drop_duplicates:
        drop_near(decided, trained, _duplicates(x, trained, table, asked.similar, engine))
    if asked.hamming is not None and hashes is not None:
        drop_alike(decided, hashes, trained, asked.hamming, asked.within_folders)
    if asked.drop_leaks:
        drop_leaking(decided, x, trained, held, asked.similar)
    if asked.drop_outliers or asked.drop_doubtful:
        drop_by_neighbours(decided, x, trained, asked.far, asked.drop_outliers, asked.drop_doubtful)
    left = trained[decided.kept[trained]]
    notes = []
    if (repeated := decided.kinds.get("duplicates", 0)) > len(trained) / 2:
        notes.append(
            f"{repeated:,} of {len(trained):,} rows repeat another, more than half. Look at some of them: where they differ, "
            "the encoder does not tell them apart (tacit doctor on its run); train it longer, or raise --similar."
        )
    if asked.keep is None or asked.keep == len(left):
        return notes
    if asked.keep > len(left):
        return [*notes, f"{asked.keep:,} were to be kept and {len(left):,} are left: all of these are."]
    way = balanced if asked.balance else typical if asked.typical else diverse if asked.diverse else at_hazard
    space = x if table.provenance.similarity == "cosine" or way is typical else vectors
    thin(decided, space[torch.from_numpy(left)], left, way, asked.keep, asked.seed)
    return notes


def _duplicates(x: torch.Tensor, trained: np.ndarray, table: Table, similar: float, engine: Engine) -> Duplicates:
    """Which of these rows repeat which, found by the workers of an engine."""
    if not engine.apart:
        return near_duplicates(x[torch.from_numpy(trained)], similar)
    make = partial(_comparing, str(table.path.absolute()), table.version, trained, similar)
    with engine.workers(make) as each:
        return near_duplicates_by(each, len(trained), SHARES)


def _comparing(table: str, version: int, trained: np.ndarray, similar: float) -> Comparing:
    """A worker that has read the table by its address."""
    _, vectors, _ = _read(open_table(table, version), hashed=False)
    return Comparing(unit(vectors)[torch.from_numpy(trained)], similar)


def _check(asked: Options) -> None:
    """Refuse what cannot be meant."""
    ways = [f"--{name}" for name in ("balance", "typical", "diverse") if getattr(asked, name)]
    drops = asked.drop_duplicates or asked.drop_leaks or asked.drop_outliers or asked.drop_doubtful
    if asked.keep is not None and asked.keep < 1:
        raise TacitError(f"--keep is {asked.keep}; give 1 or more rows to keep.")
    if len(ways) > 1:
        raise TacitError(f"{' and '.join(ways)} say both which rows are kept; give one of them.")
    if ways and asked.keep is None:
        raise TacitError(f"{ways[0]} says which rows are kept but not how many; give --keep too.")
    if asked.keep is None and not drops:
        raise TacitError("Nothing was asked for; give --keep, or --drop-duplicates, -leaks, -outliers or -doubtful.")
    if not 0 < asked.similar <= 1:
        raise TacitError(f"--similar is {asked.similar}; it is a cosine: give more than 0 and at most 1.")
    if asked.hamming is not None and not 0 <= asked.hamming < BITS:
        raise TacitError(f"--hamming is {asked.hamming}; of {BITS} bits give 0 to {BITS - 1} that may differ.")
    if asked.hamming is not None and not asked.drop_duplicates:
        raise TacitError("--hamming says which pictures are duplicates; give --drop-duplicates too.")
    if asked.within_folders and asked.hamming is None:
        raise TacitError("--within-folders says where pictures are compared by their hash; give --hamming too.")
    positive(far=asked.far)


def _read(table: Table, hashed: bool) -> tuple[Decisions, torch.Tensor, tuple[np.ndarray, np.ndarray] | None]:
    """The rows, their vectors and, where they are asked for, the hashes of their thumbnails, in one pass."""
    made = table.provenance
    if made.form != "dense" or made.similarity not in INDEXED:
        raise TacitError(
            f"{table.path} holds {made.form} vectors compared by {made.similarity}; curated can be dense ones compared by "
            f"{' or '.join(INDEXED)}."
        )
    needed = 3 * len(table) * made.dim * 4  # as they are, of length one, and what works on them
    if needed > free_memory():
        raise TacitError(
            f"{table.path} needs about {needed / 2**30:.1f} GiB of memory to be curated and {free_memory() / 2**30:.1f} are "
            "free; embed fewer samples, or go to a larger machine."
        )
    vectors = torch.empty(len(table), made.dim)
    ids, paths, labels, splits = ([], [], [], [])  # type: list[str], list[str | None], list[str | None], list[str | None]
    pictures, readable = [], []
    columns = [name for name in COLUMNS if hashed or name != "thumbnail"]
    for batch in table.stream(BATCH, columns):
        vectors[len(ids) : len(ids) + len(batch)] = torch.from_numpy(vectors_of(batch).copy())
        for column, name in ((ids, "id"), (paths, "path"), (labels, "label"), (splits, "split")):
            column += batch.column(name).to_pylist()  # type: ignore[arg-type]
        if hashed:
            found, known = hashes_of(batch.column("thumbnail").to_pylist())
            pictures.append(found)
            readable.append(known)
    broken = np.flatnonzero(~torch.isfinite(vectors).all(1).numpy())
    if len(broken):
        raise TacitError(
            f"{len(broken)} rows of {table.path}, {ids[broken[0]]!r} for one, hold NaN or infinite numbers; embed them again."
        )
    marks = np.array([mark or "train" for mark in splits]) if any(splits) else None
    hashes = (np.concatenate(pictures), np.concatenate(readable)) if hashed else None
    return Decisions(ids, paths, labels, marks), vectors, hashes
