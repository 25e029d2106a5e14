"""`tacit cluster`: the rows of a table in groups, with a name for each and numbers that stay."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from tacit.clusters import naming
from tacit.clusters.counting import number_of_clusters
from tacit.clusters.density import dense_clusters
from tacit.clusters.stable import renumbered
from tacit.curation.levels import hierarchical_kmeans, usual_levels
from tacit.embeddings.index import INDEXED, unit
from tacit.embeddings.output import appearing, parquet_file
from tacit.embeddings.read import BATCH, Table, open_table
from tacit.embeddings.rows import schema, vectors_of
from tacit.errors import TacitError, unknown
from tacit.numerics.kmeans import assign, kmeans
from tacit.numerics.topk import nearest

PER_CLUSTER, SAMPLE = 256, 1 << 18  # rows that k-means learns of: so many for each cluster, and at most
TRIED = 4096  # rows among which the number of clusters is looked for
CLEAR, OTHERWISE = 0.05, 10  # a silhouette below which no number stands out, and what is then taken
DENSE = 20_000  # rows among which HDBSCAN looks for dense regions
NAMED = 200  # rows of a cluster, the most typical, that it is named by
TYPICAL = 5
SEEDS = 1 << 64  # that PyTorch takes
COLUMNS = pa.schema(
    [
        ("id", pa.string()),
        ("cluster", pa.int64()),
        ("name", pa.string()),
        ("similarity", pa.float32()),
        ("above", pa.list_(pa.int64())),
    ]
)


@dataclass(frozen=True)
class Cluster:
    """One group."""

    number: int  # stays when the same things are clustered into the same file again
    name: str
    size: int
    typical: list[str]  # ids of the rows nearest to the mean, the nearest first


class Grouping(NamedTuple):
    """What a way of clustering found: groups 0…k−1, some perhaps empty."""

    labels: np.ndarray  # int64, of each row; −1 for none
    means: Tensor  # k × d
    above: np.ndarray  # int64, k × levels: the group of groups that each is in, and so on up
    silhouettes: dict[int, float]


@dataclass(frozen=True)
class Clusters:
    """All groups of a table's rows, the largest first."""

    path: Path
    found: list[Cluster]
    alone: int  # rows that are in none
    silhouettes: dict[int, float]  # of each number of clusters that was tried, where none was asked for
    kept: int  # clusters that were in the file before


def cluster(
    table: str | Path | Table,
    *,
    out: str | Path,
    method: str = "kmeans",
    number: int = 0,
    least: int = 0,
    seed: int = 0,
) -> Clusters:
    """Put the rows of a table into groups, and write id, cluster, name, similarity to the cluster's mean, and the groups above
    it to a Parquet file.

    method  "kmeans"; "hdbscan", which finds their number itself and leaves rows in no group (−1); or "hierarchical": groups of
            groups of groups, which lie as evenly where the data are few as where they are many
    number  how many, of hierarchical on the lowest level; 0: of kmeans that with the largest silhouette on a sample, or 10
            where none has one of 0.05, of hierarchical one for 30 rows of the sample
    least   of hdbscan: rows that make a group; 0: one in 200 of the sample, and 5 at least

    Vectors that are compared by the cosine are clustered at length one. Memory does not grow with the table but for an id and
    three numbers a row: means are learned of a sample, and all rows are assigned in one pass. If `out` is there, each group
    takes the number of the one there that it shares most rows with.
    """
    table, out = table if isinstance(table, Table) else open_table(table), parquet_file(out)
    if method not in WAYS:
        raise unknown("method of clustering", method, tuple(WAYS))
    if table.provenance.similarity not in INDEXED:
        raise TacitError(f"{table.path} is compared by {table.provenance.similarity}; cosine or dot can be clustered.")
    if (number and method == "hdbscan") or (least and method != "hdbscan"):
        raise TacitError("--least is of hdbscan, and --number of the others; leave out one.")
    if number < 0 or least < 0 or number > len(table) or least == 1:
        raise TacitError(
            f"--number {number} and --least {least} were asked of {len(table)} rows; give as many as there are at most, and "
            "groups of two or more."
        )
    if least > min(len(table), DENSE):
        raise TacitError(f"--least is {least}, and groups are looked for among {min(len(table), DENSE):,} rows; give fewer.")
    if not 0 <= seed < SEEDS:
        raise TacitError(f"seed is {seed}; it must be a whole number of 0 or more and below 2^64.")
    if len(table) < 3:
        raise TacitError(f"{table.path} has {len(table)} rows; three or more can be clustered.")
    before = _before(out)
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        grouping = WAYS[method](table, least if method == "hdbscan" else number, rng)
    ids = table.ids()
    similarity = _similarities(table, grouping.labels, grouping.means)
    above = grouping.above[np.maximum(grouping.labels, 0)] if grouping.above.size else np.empty((len(ids), 0), np.int64)
    labels = _by_size(grouping.labels)
    if before:
        labels = renumbered(labels, ids, before)
    order = np.lexsort((-similarity, labels))[np.count_nonzero(labels < 0) :]
    numbers, starts = np.unique(labels[order], return_index=True)
    members = dict(zip(numbers.tolist(), np.split(order, starts[1:])))
    names = dict(zip(members, _names(table, [places[:NAMED] for places in members.values()])))
    _write(out, ids, labels, names, similarity, above)
    found = [Cluster(one, names[one], len(places), [ids[i] for i in places[:TYPICAL]]) for one, places in members.items()]
    kept = len(set(names) & set(before.values()))
    return Clusters(out, sorted(found, key=lambda one: -one.size), int((labels < 0).sum()), grouping.silhouettes, kept)


def _sample(table: Table, most: int, rng: np.random.Generator) -> Tensor:
    """Some rows as they are compared, in their order."""
    places = np.sort(rng.choice(len(table), min(most, len(table)), replace=False))
    return torch.from_numpy(unit(vectors_of(table.at(places, ("vector",))), table.provenance.similarity))


def _by_means(table: Table, number: int, rng: np.random.Generator) -> Grouping:
    """k-means of a sample; every row is where the nearest mean is."""
    silhouettes: dict[int, float] = {}
    if not number:
        x = _sample(table, TRIED, rng)
        silhouettes = number_of_clusters(x, min(int(2 * len(x) ** 0.5), len(x) - 1))
        best = max(silhouettes, key=lambda k: silhouettes[k])
        number = best if silhouettes[best] >= CLEAR else min(OTHERWISE, len(x) - 1)
    _, means = kmeans(_sample(table, min(max(PER_CLUSTER * number, TRIED), SAMPLE), rng), number)
    return Grouping(_assigned(table, means), means, np.empty((number, 0), np.int64), silhouettes)


def _by_levels(table: Table, number: int, rng: np.random.Generator) -> Grouping:
    """Hierarchical k-means of a sample; every row is where the nearest mean of the lowest level is."""
    x = _sample(table, SAMPLE, rng)
    sizes = (
        usual_levels(len(x))
        if not number
        else [size for size in (number, number // 5, number // 25) if size > 1 or size == number]
    )
    labels, *parents = hierarchical_kmeans(x, sizes, seed=int(rng.integers(1 << 31)))
    count = int(labels.max()) + 1
    means = (
        torch.zeros(count, x.shape[1]).index_add_(0, labels, x) / torch.bincount(labels, minlength=count).clamp(min=1)[:, None]
    )
    above, place = [], np.arange(count)
    for level in parents:
        place = level.numpy()[place]
        above.append(place)
    return Grouping(_assigned(table, means), means, np.stack(above, 1) if above else np.empty((count, 0), np.int64), {})


def _assigned(table: Table, means: Tensor) -> np.ndarray:
    """The nearest mean of each row."""
    made = [
        assign(torch.from_numpy(unit(vectors_of(batch), table.provenance.similarity)), means)[0].numpy()
        for batch in table.stream(16 * BATCH, ("vector",))
    ]
    return np.concatenate(made)


def _by_density(table: Table, least: int, rng: np.random.Generator) -> Grouping:
    """Dense regions among DENSE rows; every other is where the nearest of these is, perhaps in none."""
    x = _sample(table, DENSE, rng)
    own = dense_clusters(x, least or min(max(len(x) // 200, 5), len(x)))
    if int(own.max()) < 0:
        raise TacitError(f"hdbscan finds no dense region in {table.path}; give a smaller --least, or take kmeans.")
    means = torch.stack([x[own == one].mean(0) for one in range(int(own.max()) + 1)])
    none = np.empty((len(means), 0), np.int64)
    if len(x) == len(table):
        return Grouping(own.numpy(), means, none, {})
    keys = torch.nn.functional.normalize(x)  # of vectors of other lengths the direction counts
    made = []
    for batch in table.stream(16 * BATCH, ("vector",)):
        vectors = torch.from_numpy(unit(vectors_of(batch), "cosine"))
        made.append(own[nearest(vectors, keys, 1).positions[:, 0]].numpy())
    return Grouping(np.concatenate(made), means, none, {})


WAYS = {"kmeans": _by_means, "hdbscan": _by_density, "hierarchical": _by_levels}


def _similarities(table: Table, labels: np.ndarray, means: Tensor) -> np.ndarray:
    """The cosine of each row with its cluster's mean, 0 for rows in none: float32, n."""
    directions = torch.nn.functional.normalize(means).numpy()
    found, start = np.zeros(len(labels), np.float32), 0
    for batch in table.stream(16 * BATCH, ("vector",)):
        vectors, own = unit(vectors_of(batch), "cosine"), labels[start : start + len(batch)]
        found[start : start + len(batch)] = np.where(own < 0, 0, (vectors * directions[np.maximum(own, 0)]).sum(1))
        start += len(batch)
    return found


def _by_size(labels: np.ndarray) -> np.ndarray:
    """The same clusters, 0 the largest, without empty ones; −1 stays."""
    sizes = np.bincount(labels[labels >= 0])
    order = np.argsort(-sizes, kind="stable")
    rank = np.empty(len(sizes), np.int64)
    rank[order] = np.arange(len(sizes))
    return np.where(labels < 0, -1, rank[labels])


def _names(table: Table, places: list[np.ndarray]) -> list[str]:
    """A name for each cluster, by the rows at these positions, the most typical first."""
    own = schema(table.provenance).names
    texts = [name for name in own if name == "text"]
    joined = [field.name for field in table.lance.schema if field.name not in own and pa.types.is_string(field.type)]
    columns = ["id", "label", "path", *texts, *joined]
    rows = table.at(np.concatenate(places), columns)
    ends = np.cumsum([len(some) for some in places])[:-1]
    parts = {name: [[*own] for own in np.split(np.array(rows.column(name).to_pylist(), object), ends)] for name in columns}
    texts += [name for name in joined if naming.is_written(parts[name])]
    marks = [naming.by_majority(parts[name]) for name in ("label", *joined) if name not in texts]
    words = [naming.by_words(parts[name]) for name in texts]
    called = ([next(filter(None, one), "") for one in zip(*found)] or [""] * len(places) for found in (marks, words))
    folders = naming.by_folder(parts["path"])
    typical = [f"like {own[0]}" for own in parts["id"]]
    return naming.distinct([": ".join(filter(None, both)) for both in zip(*called)], folders, typical)


def _before(out: Path) -> dict[str, int]:
    """The cluster of each id in a file that is there; another file is refused."""
    if not out.exists():
        return {}
    try:
        there = pq.read_table(out)
        same = there.schema.names == COLUMNS.names
    except (pa.ArrowInvalid, OSError):
        same = False
    if not same:
        raise TacitError(f"{out} is there and holds no clusters; give another name or move it away.")
    return dict(zip(there.column("id").to_pylist(), there.column("cluster").to_pylist()))


def _write(
    out: Path, ids: list[str], labels: np.ndarray, names: dict[int, str], similarity: np.ndarray, above: np.ndarray
) -> None:
    said = [names.get(label, "") for label in labels.tolist()]
    lists = pa.ListArray.from_arrays(np.arange(len(above) + 1) * above.shape[1], above.reshape(-1))
    with appearing(out) as part:
        columns = [*(pa.array(column) for column in (ids, labels, said, similarity)), lists]
        pq.write_table(pa.table([column.cast(field.type) for column, field in zip(columns, COLUMNS)], schema=COLUMNS), part)
