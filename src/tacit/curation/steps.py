"""The steps of curating a table: each drops rows for one reason, which it writes down."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch

from tacit.curation.choosing import Choice
from tacit.curation.density import far_out, mean_distances, neighbourhood
from tacit.curation.doubtful import doubts
from tacit.curation.duplicates import Duplicates
from tacit.curation.hashes import BITS, unlike
from tacit.curation.leaks import leaks
from tacit.curation.manifest import Decisions
from tacit.errors import TacitError

Way: TypeAlias = Callable[[torch.Tensor, int, int], Choice]  # of rows, how many, a seed


def drop_near(decided: Decisions, trained: np.ndarray, found: Duplicates) -> None:
    """Of rows at these positions those that repeat one kept before, as was found of them."""
    places = np.flatnonzero(found.of >= 0)
    rows, others = trained[places], trained[found.of[places]]
    decided.score("repeats", rows, others)
    decided.score("cosine", rows, found.cosine[places])
    told = zip(rows.tolist(), others.tolist(), found.cosine[places].tolist())
    decided.drop("duplicates", {row: f"repeats {decided.ids[other]}, cosine {cosine:.3f}" for row, other, cosine in told})


def drop_alike(
    decided: Decisions, hashes: tuple[np.ndarray, np.ndarray], trained: np.ndarray, most: int, within_folders: bool
) -> None:
    """Those whose picture is like that of one kept before; `hashes` say, too, which rows have a picture."""
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


def drop_leaking(decided: Decisions, x: torch.Tensor, trained: np.ndarray, held: np.ndarray, similar: float) -> None:
    """Those that repeat a held-out row."""
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


def drop_by_neighbours(
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


def thin(decided: Decisions, x: torch.Tensor, left: np.ndarray, way: Way, keep: int, seed: int) -> None:
    """Keep so many of the rows `left`, whose vectors are x, in this way."""
    found = way(x, keep, seed)
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
