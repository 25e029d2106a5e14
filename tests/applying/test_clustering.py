"""`tacit cluster`: groups of a table's rows, with names and numbers that stay."""

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from tacit.applying.clustering import cluster
from tacit.cli import run
from tacit.embeddings.provenance import Provenance
from tacit.embeddings.rows import Rows
from tacit.embeddings.write import add, write
from tacit.errors import TacitError

CLASSES = ("ape", "bee", "cow", "dog", "elk", "fox")
MADE = Provenance("runs/one", "ab" * 32, "dense", "cosine", 12, "image", "0.1.0")


def animals(n, seed=0, first=0):
    random = np.random.default_rng(seed)
    of = random.integers(0, 6, n)
    vectors = (np.eye(12)[of] * random.uniform(1, 5, (n, 1)) + 0.1 * random.standard_normal((n, 12))).astype(np.float32)
    ids = [f"{first + i}.png" for i in range(n)]
    labels = [CLASSES[one] if i % 2 else None for i, one in enumerate(of)]
    return of, Rows(ids, [f"/zoo/{CLASSES[one]}/{id}" for one, id in zip(of, ids)], labels, vectors, [None] * n)


@pytest.fixture
def table(tmp_path):
    _, rows = animals(900)
    return write(tmp_path / "zoo.lance", [rows], MADE, total=900)


def agreement(of, file):
    """Whether clusters and classes are the same up to their names, among rows that are in one."""
    found = pq.read_table(file).column("cluster").to_numpy()
    pairs = {(int(a), int(b)) for a, b in zip(of, found) if b >= 0}
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


@pytest.mark.parametrize("method", ["kmeans", "hdbscan"])
def test_groups_are_found_and_named(table, tmp_path, method):
    of, _ = animals(900)
    made = cluster(table, out=tmp_path / "clusters.parquet", method=method)
    assert len(made.found) == 6 and {one.name for one in made.found} <= {*CLASSES}
    assert agreement(of, made.path) and sum(one.size for one in made.found) + made.alone == 900
    assert [one.number for one in made.found] == list(range(6)) and made.kept == 0
    rows = pq.read_table(made.path).to_pylist()
    assert [row["id"] for row in rows] == table.ids()
    one = made.found[0]
    own = [row for row in rows if row["cluster"] == 0]
    assert len(own) == one.size and {row["name"] for row in own} == {one.name}
    best = max(own, key=lambda row: row["similarity"])
    assert one.typical[0] == best["id"] and 0.9 < best["similarity"] <= 1 + 1e-6


def test_groups_of_groups(table, tmp_path):
    of, _ = animals(900)
    made = cluster(table, out=tmp_path / "levels.parquet", method="hierarchical", number=30)
    found = pq.read_table(made.path)
    own, above = found.column("cluster").to_numpy(), np.array(found.column("above").to_pylist())
    assert above.shape == (900, 1) and len(made.found) <= 30 and set(above[:, 0]) <= set(range(6))
    assert all(len(set(above[own == one, 0])) == 1 and len(set(of[own == one])) == 1 for one in set(own))
    assert sum(one.size for one in made.found) == 900
    flat = cluster(table, out=tmp_path / "flat.parquet", number=6)
    assert pq.read_table(flat.path).column("above").to_pylist() == [[]] * 900


def test_few_rows_decide_for_many(table, tmp_path, monkeypatch):
    import tacit.applying.clustering as module

    for name in ("TRIED", "SAMPLE", "DENSE"):
        monkeypatch.setattr(module, name, 200)
    of, _ = animals(900)
    for method in ("kmeans", "hdbscan"):
        made = cluster(table, out=tmp_path / f"{method}.parquet", method=method)
        assert len(made.found) == 6 and agreement(of, made.path)


def test_the_same_seed_the_same_clusters_and_numbers_stay_when_rows_come(table, tmp_path):
    a, b = (cluster(table, out=tmp_path / f"{name}.parquet", number=6, seed=3) for name in "ab")
    assert pq.read_table(a.path).equals(pq.read_table(b.path))
    before = dict(zip(*(pq.read_table(a.path).column(name).to_pylist() for name in ("id", "cluster"))))
    _, more = animals(300, 5, 900)
    grown = add(table.path, [more], renew=False)
    again = cluster(grown, out=a.path, number=6, seed=11)
    after = dict(zip(*(pq.read_table(a.path).column(name).to_pylist() for name in ("id", "cluster"))))
    assert again.kept == 6 and len(after) == 1200 and all(after[id] == number for id, number in before.items())


def test_where_nothing_stands_out_it_is_said(tmp_path, capsys):
    vectors = np.random.default_rng(0).standard_normal((400, 64)).astype(np.float32)
    ids = [str(i) for i in range(400)]
    write(
        tmp_path / "noise.lance",
        [Rows(ids, [None] * 400, [None] * 400, vectors, [None] * 400)],
        replace(MADE, dim=64),
        total=400,
    )
    assert run(["cluster", str(tmp_path / "noise.lance"), "--out", str(tmp_path / "c.parquet")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("10 clusters. No number of 2 to") and "like " in said


def test_mistakes_are_one_sentence(table, tmp_path):
    out = tmp_path / "c.parquet"
    for options, why in [
        ({"method": "kmaens"}, "kmeans"),
        ({"number": 901}, "901"),
        ({"number": 3, "method": "hdbscan"}, "--number of the others"),
        ({"least": 5}, "--least is of hdbscan"),
        ({"least": 1, "method": "hdbscan"}, "two or more"),
        ({"least": 400, "method": "hdbscan"}, "no dense region"),
        ({"least": 901, "method": "hdbscan"}, "among 900 rows; give fewer"),
        ({"seed": -1}, "seed is -1; it must be"),
        ({"seed": 1 << 64}, "a whole number of 0 or more"),
    ]:
        with pytest.raises(TacitError, match=why):
            cluster(table, out=out, **options)
    with pytest.raises(TacitError, match=r"does not end in \.parquet"):
        cluster(table, out=tmp_path / "c.csv")
    out.write_bytes(b"mine")
    with pytest.raises(TacitError, match="holds no clusters"):
        cluster(table, out=out)
    assert out.read_bytes() == b"mine"
    few = write(tmp_path / "few.lance", [animals(2)[1]], MADE, total=2)
    with pytest.raises(TacitError, match="2 rows; three or more"):
        cluster(few, out=tmp_path / "d.parquet")


def test_as_few_rows_as_can_be_are_looked_at_by_density(tmp_path):
    few = write(tmp_path / "few.lance", [animals(3)[1]], MADE, total=3)
    with pytest.raises(TacitError, match="no dense region"):
        cluster(few, out=tmp_path / "c.parquet", method="hdbscan")
