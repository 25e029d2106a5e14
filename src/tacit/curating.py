"""`tacit curate`: which rows of a table are worth learning from, decided by their vectors and written down with the reasons."""

from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tacit.curation.choosing import Choice, at_hazard, balanced, diverse, typical
from tacit.curation.density import far_out, mean_distances, neighbourhood
from tacit.curation.doubtful import doubts
from tacit.curation.duplicates import near_duplicates
from tacit.curation.hashes import BITS, hashes_of, unlike
from tacit.curation.leaks import leaks
from tacit.curation.manifest import Decisions, write_manifest
from tacit.data.memory import free_memory
from tacit.embeddings.output import parquet_file
from tacit.embeddings.read import BATCH, Table, open_table
from tacit.embeddings.rows import vectors_of
from tacit.errors import TacitError, positive
from tacit.numerics.exact import unit

COMPARED = ("cosine", "dot")  # similarities whose vectors lie in a flat space
COLUMNS = ("id", "vector", "path", "label", "split", "thumbnail")


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
    similar: float = 0.98,
    hamming: int | None = None,
    within_folders: bool = False,
    far: float = 3.0,
    overwrite: bool = False,
    seed: int = 0,
) -> Curation:
    """Decide which rows of a table are kept, and write all of them, each with its reason, into the manifest `out`.

    What is thinned is the training part, where the table knows of one; the other parts are kept as they are. The decisions
    come in the order of these options, and whoever is first to drop a row gives the reason:

    drop_duplicates  rows whose cosine with a row kept before is `similar` or more (`curation.duplicates`: exact)
    hamming          with it: also pictures whose 64-bit difference hash is within so many bits of a kept one's, by the
                     table's thumbnails; `within_folders` compares only what lies in one folder, such as the slices of a volume
    drop_leaks       rows whose cosine with a row of the validation or test part is `similar` or more
    drop_outliers    rows whose mean distance to their 20 nearest is `far` quartile distances above the third quartile
    drop_doubtful    rows whose label their neighbours contradict (`curation.doubtful`)
    keep             of what is left so many: drawn at random, or
                     balance: evenly over the levels of hierarchical k-means, however often a thing occurs
                     typical: the most typical of each cluster; diverse: each as far as can be from the others

    The manifest has a column `kept` that may be changed, and `tacit.pretrain` takes it as a source. Vectors are held in
    memory. No file of the source is touched. What was decided depends on the table, the options and `seed` alone.
    """
    table = table if isinstance(table, Table) else open_table(table)
    out = parquet_file(out)
    if out.exists() and not overwrite:
        raise TacitError(f"{out} is there already; say overwrite to replace it, or give another name.")
    _check(keep, {"balance": balance, "typical": typical, "diverse": diverse}, similar, hamming, drop_duplicates, far)
    if within_folders and hamming is None:
        raise TacitError("--within-folders says where pictures are compared by their hash; give --hamming too.")
    if keep is None and not (drop_duplicates or drop_leaks or drop_outliers or drop_doubtful):
        raise TacitError(
            "Nothing was asked for; give --keep, --drop-duplicates, --drop-leaks, --drop-outliers or --drop-doubtful."
        )
    decided, vectors, hashes = _read(table, hamming is not None)
    x = unit(vectors)
    splits = decided.splits
    trained = np.flatnonzero(splits == "train" if splits is not None else decided.kept)
    held = np.setdiff1d(np.arange(len(decided.ids)), trained)
    if not len(trained):
        raise TacitError(f"{table.path} holds no row of the training part; embed what is to be trained on.")
    for row in held.tolist():
        decided.reasons[row] = f"not thinned: of the {splits[row]} part"  # type: ignore[index]  # where rows are held out
    if drop_duplicates:
        _drop_near(decided, x, trained, similar)
    if hamming is not None and hashes is not None:
        _drop_alike(decided, hashes, trained, hamming, within_folders)
    if drop_leaks:
        _drop_leaks(decided, x, trained, held, similar)
    if drop_outliers or drop_doubtful:
        _drop_by_neighbours(decided, x, trained, far, drop_outliers, drop_doubtful)
    notes = []
    if keep is not None:
        left = trained[decided.kept[trained]]
        if keep > len(left):
            notes.append(f"{keep:,} were to be kept and {len(left):,} are left: all of these are.")
        elif keep < len(left):
            space = x if table.provenance.similarity == "cosine" else vectors
            _thin(decided, (x if typical else space)[torch.from_numpy(left)], left, _way(balance, typical, diverse), keep, seed)
    made = table.provenance
    options = {"keep": keep, "balance": balance, "typical": typical, "diverse": diverse, "drop_duplicates": drop_duplicates}
    options |= {"drop_leaks": drop_leaks, "drop_outliers": drop_outliers, "drop_doubtful": drop_doubtful, "similar": similar}
    options |= {"hamming": hamming, "within_folders": within_folders, "far": far}
    about = {"table": str(table.path.absolute()), "table_version": table.version, "encoder": made.encoder, "run": made.run}
    about |= {"options": options, "seed": seed, "tacit": version("tacit")}
    source = (
        str(Path(made.source).expanduser().absolute())
        if made.source and Path(made.source).expanduser().exists()
        else made.source
    )
    write_manifest(out, decided, source, made.kind, about)
    kept = int(decided.kept.sum())
    return Curation(out, str(table.path), len(decided.ids), kept, len(held), decided.kinds, notes)


def _check(
    keep: int | None, ways: dict[str, bool], similar: float, hamming: int | None, drop_duplicates: bool, far: float
) -> None:
    chosen = [f"--{name}" for name, wanted in ways.items() if wanted]
    if keep is not None and keep < 1:
        raise TacitError(f"--keep is {keep}; give 1 or more rows to keep.")
    if len(chosen) > 1:
        raise TacitError(f"{' and '.join(chosen)} say both which rows are kept; give one of them.")
    if chosen and keep is None:
        raise TacitError(f"{chosen[0]} says which rows are kept but not how many; give --keep too.")
    if not 0 < similar <= 1:
        raise TacitError(f"--similar is {similar}; it is a cosine: give more than 0 and at most 1.")
    if hamming is not None and not 0 <= hamming < BITS:
        raise TacitError(f"--hamming is {hamming}; of {BITS} bits give 0 to {BITS - 1} that may differ.")
    if hamming is not None and not drop_duplicates:
        raise TacitError("--hamming says which pictures are duplicates; give --drop-duplicates too.")
    positive(far=far)


def _way(balance: bool, typically: bool, diversely: bool) -> Any:
    return balanced if balance else typical if typically else diverse if diversely else at_hazard


def _read(table: Table, hashed: bool) -> tuple[Decisions, torch.Tensor, tuple[np.ndarray, np.ndarray] | None]:
    """The rows, their vectors and, where they are asked for, the hashes of their thumbnails, in one pass."""
    made = table.provenance
    if made.form != "dense" or made.similarity not in COMPARED:
        raise TacitError(
            f"{table.path} holds {made.form} vectors compared by {made.similarity}; curated can be dense ones compared by "
            f"{' or '.join(COMPARED)}."
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


def _drop_near(decided: Decisions, x: torch.Tensor, trained: np.ndarray, similar: float) -> None:
    found = near_duplicates(x[torch.from_numpy(trained)], similar)
    places = np.flatnonzero(found.of >= 0)
    rows, others = trained[places], trained[found.of[places]]
    decided.score("repeats", rows, others)
    decided.score("cosine", rows, found.cosine[places])
    told = zip(rows.tolist(), others.tolist(), found.cosine[places].tolist())
    decided.drop("duplicates", {row: f"repeats {decided.ids[other]}, cosine {cosine:.3f}" for row, other, cosine in told})


def _drop_alike(
    decided: Decisions, hashes: tuple[np.ndarray, np.ndarray], trained: np.ndarray, most: int, within_folders: bool
) -> None:
    found, readable = hashes
    some = trained[decided.kept[trained] & readable[trained]]
    if not readable[trained].any():
        raise TacitError("--hamming compares pictures, and no row of the table has one; leave it out.")
    folders = [decided.ids[row].rpartition("/")[0] if within_folders else "" for row in some.tolist()]
    of, bits = unlike(found[some], np.unique(folders, return_inverse=True)[1], most)
    places = np.flatnonzero(of >= 0)
    rows, others = some[places], some[of[places]]
    decided.score("looks_like", rows, others)
    decided.score("bits", rows, bits[places])
    told = zip(rows.tolist(), others.tolist(), bits[places].tolist())
    decided.drop(
        "pictures that look alike",
        {row: f"looks like {decided.ids[other]}, {count} of {BITS} bits differ" for row, other, count in told},
    )


def _drop_leaks(decided: Decisions, x: torch.Tensor, trained: np.ndarray, held: np.ndarray, similar: float) -> None:
    if not len(held):
        raise TacitError(
            "Leaks lie between parts, and the table knows of the training part alone; embed a source with train and test."
        )
    some = trained[decided.kept[trained]]
    found = leaks(x, some, held, similar)
    rows = np.flatnonzero(found.of >= 0)
    decided.score("leaks_to", rows, found.of[rows])
    decided.score("leak_cosine", rows, found.cosine[rows])
    parts = decided.splits
    told = ((row, int(found.of[row]), float(found.cosine[row])) for row in rows.tolist())
    decided.drop(
        "leaks",
        {row: f"repeats {decided.ids[other]} of the {parts[other]} part, cosine {cosine:.3f}" for row, other, cosine in told},  # type: ignore[index]
    )


def _drop_by_neighbours(
    decided: Decisions, x: torch.Tensor, trained: np.ndarray, far: float, alone: bool, doubtful: bool
) -> None:
    """Outliers and doubtful labels, by the same neighbours."""
    some = trained[decided.kept[trained]]
    names = [decided.labels[row] or "" for row in some.tolist()]
    classes, labels = np.unique(names, return_inverse=True)
    labels = np.where(classes[labels] == "", -1, labels)
    if doubtful and len({*names} - {""}) < 2:
        raise TacitError("--drop-doubtful compares labels, and the table has fewer than two kinds of them; leave it out.")
    if len(some) < 3:
        raise TacitError(f"{len(some)} rows have hardly any neighbours; give a table of more.")
    found = neighbourhood(x[torch.from_numpy(some)])
    if alone:
        distances = mean_distances(found)
        most = far_out(distances, far)
        decided.score("distance", some, distances)
        rows = np.flatnonzero(distances > most).tolist()
        told = {int(some[row]): f"stands apart: {distances[row]:.3f} from its neighbours, above {most:.3f}" for row in rows}
        decided.drop("outliers", told)
    if doubtful:
        told_by = doubts(found, labels)
        decided.score("agreed", some, told_by.agreed)
        rows = [row for row in np.flatnonzero(told_by.doubtful).tolist() if decided.kept[some[row]]]
        reason = "labelled {}, as {:.0%} of its neighbours are; rather {}"
        instead = {row: reason.format(names[row], told_by.agreed[row], classes[told_by.instead[row]]) for row in rows}
        decided.drop("doubtful labels", {int(some[row]): why for row, why in instead.items()})


def _thin(decided: Decisions, x: torch.Tensor, left: np.ndarray, way: Any, keep: int, seed: int) -> None:
    found: Choice = way(x, keep, seed)
    gone = np.setdiff1d(np.arange(len(left)), found.chosen)
    if found.clusters is None:
        reasons = dict.fromkeys(left[gone].tolist(), f"not one of the {keep:,} that were chosen")
    else:
        decided.score("cluster", left, found.clusters)
        sizes = np.bincount(found.clusters)
        given = np.bincount(found.clusters[found.chosen], minlength=len(sizes))
        own = found.clusters[gone].tolist()
        reasons = {
            row: f"not one of the {given[c]} of {sizes[c]} that cluster {c} gives" for row, c in zip(left[gone].tolist(), own)
        }
    decided.drop("not chosen", reasons)
