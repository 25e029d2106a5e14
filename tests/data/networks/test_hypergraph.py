"""Hypergraphs: read from archives and lists, what is unusual counted and kept, mistakes named."""

import os
from pathlib import Path

import numpy as np
import pytest

import tacit
from tacit.data.generated import groups
from tacit.data.networks.hypergraph import Hypergraph, joined
from tacit.errors import TacitError

#      hyperedge:   0        1     2  3        4 = 0    5 with node 4 twice; 6 is empty, 7 of node 0 and 1
MEMBERS = np.array([0, 1, 2, 2, 3, 4, 0, 3, 4, 2, 0, 1, 4, 4, 5, 0, 1])
EDGES = np.array([0, 0, 0, 1, 1, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 7, 7])


def saved(folder: Path, name: str = "h.npz", **changes: object) -> Path:
    arrays = {"incidence": np.stack([MEMBERS, EDGES]), "x": np.eye(8, 3, dtype=np.uint8), "y": np.arange(8) % 2}
    np.savez(folder / name, **{key: value for key, value in {**arrays, **changes}.items() if value is not None})
    return folder / name


def test_what_is_unusual_is_counted_and_stays(tmp_path):
    samples = tacit.open(saved(tmp_path))
    assert samples.kind == "hypergraph" and len(samples) == 8 and samples.classes == ("0", "1")
    graph = samples.hypergraph
    assert graph.trouble == {
        "hyperedges of one node": 1,
        "empty hyperedges": 1,
        "duplicate hyperedges": 1,
        "repeated incidences": 1,
        "nodes in no hyperedge": 2,
    }
    assert len(graph.members) == len(MEMBERS) and graph.m == 8 and graph.repeats.nonzero()[0].tolist() == [4]
    assert graph.sizes.tolist() == [3, 2, 1, 3, 3, 3, 0, 2] and graph.degrees.tolist() == [4, 3, 3, 2, 4, 1, 0, 0]
    assert "nodes in no hyperedge 2" in str(tacit.inspect(samples)) and "(kept as they are)" in str(tacit.inspect(samples))


def test_incidences_may_come_in_any_order():
    order = np.random.default_rng(0).permutation(len(EDGES))
    one, two = Hypergraph.of(MEMBERS, EDGES, 8), Hypergraph.of(MEMBERS[order], EDGES[order], 8)
    assert (np.diff(two.edges) >= 0).all() and one.trouble == two.trouble


def test_splits_and_the_rest_is_for_testing(tmp_path):
    masks = np.zeros((3, 8), bool)
    masks[0, :2], masks[1, 2:4] = True, True
    samples = tacit.open(saved(tmp_path, train_masks=masks))
    assert samples.splits.tolist() == ["train"] * 2 + ["test"] * 6 and samples.protocols["fixed"].shape == (3, 8)
    samples = tacit.open(saved(tmp_path, train_mask=masks[0], test_mask=masks[1]))
    assert samples.splits.tolist() == ["train"] * 2 + ["test"] * 2 + ["other"] * 4


def test_part_of_the_nodes_is_still_in_the_whole(tmp_path):
    samples = tacit.open(saved(tmp_path)).take(np.array([5, 1]))
    content, _ = samples.read(np.array([1, 0]))
    assert content.rows.tolist() == [1, 5] and content.hypergraph.n == 8 and samples.labels.tolist() == [1, 1]


def test_joined_leaves_only_what_is_in_a_hyperedge(tmp_path):
    samples = joined(tacit.open(saved(tmp_path)))
    assert len(samples) == 6 and samples.hypergraph.n == 6 and samples.ids == [f"{i:05d}" for i in range(6)]
    assert "nodes in no hyperedge" not in samples.hypergraph.trouble and samples.hypergraph.features.shape == (6, 3)


def test_without_features_the_degree_stands_for_them(tmp_path):
    samples = tacit.open(saved(tmp_path, x=None, y=None))
    assert len(samples) == 6 and samples.labels is None and samples.facts()["shape"] == [16]
    assert samples.hypergraph.described.argmax(1).tolist() == [2, 2, 2, 1, 2, 1]


def test_lists_with_and_without_a_table_of_nodes(tmp_path):
    (tmp_path / "hyperedges.csv").write_text("node,hyperedge\nann,talk\nbob,talk\nbob,club\ncy,club\n")
    samples = tacit.open(tmp_path / "hyperedges.csv")
    assert samples.ids == ["ann", "bob", "cy"] and samples.hypergraph.m == 2 and samples.labels is None
    (tmp_path / "nodes.csv").write_text("id,age,label,split\nann,30,a,train\ndee,20,,test\nbob,31,b,train\ncy,9,b,\n")
    samples = tacit.open(tmp_path)
    assert samples.ids == ["ann", "dee", "bob", "cy"] and samples.labels.tolist() == [0, -1, 1, 1]
    assert samples.splits.tolist() == ["train", "test", "train", "other"]
    assert samples.hypergraph.features[:, 0].tolist() == [30, 20, 31, 9]
    assert samples.hypergraph.members.tolist() == [2, 3, 0, 2]  # the hyperedges by name: club, talk
    assert samples.hypergraph.trouble == {"nodes in no hyperedge": 1}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"incidence": np.stack([MEMBERS + 4, EDGES])}, "5 incidences .* node 8 in hyperedge 2, and nodes are 0 to 7"),
        ({"incidence": np.stack([MEMBERS - 1, EDGES])}, "name a node or hyperedge that is not there"),
        ({"incidence": np.zeros((2, 0), int)}, "no incidence"),
        ({"incidence": np.zeros((3, 4), int)}, "2 × P whole numbers"),
        ({"incidence": np.zeros((2, 4))}, "2 × P whole numbers"),
        ({"x": np.eye(7, 3)}, "features of 7 nodes and labels of 8"),
        ({"x": np.zeros((8, 0))}, "N × F numbers"),
        ({"x": np.array(["a"] * 8)[:, None]}, "N × F numbers"),
        ({"train_mask": np.zeros(7, bool)}, "there are 8 nodes"),
        ({"train_mask": np.zeros(8, int)}, "give booleans"),
        ({"train_mask": np.zeros((2, 8), bool), "test_mask": np.zeros(8, bool)}, "N or k × N each"),
    ],
)
def test_mistakes_in_archives_are_named(tmp_path, changes, said):
    with pytest.raises(TacitError, match=said):
        tacit.open(saved(tmp_path, **changes))


@pytest.mark.parametrize(
    ("edges", "nodes", "said"),
    [
        ("node,hyperedge\na,1\nx,1\nx,2\n", "id,f\na,1\nb,2\n", "2 incidences .* the first of them x"),
        ("node,hyperedge\na,1\n", "id,f\na,1\na,2\n", "1 nodes twice"),
        ("node,hyperedge\na,1\n", "id,f\na,red\nb,2\n", "holds string and no numbers"),
        ("node,hyperedge\na,1\n", "id,split\na,train\nb,later\n", "holds 'later'"),
        ("node,hyperedge\n,1\na,2\n", None, "name nothing|name a node"),
        ("a,b\n1,2\n", "id\n1\n", "no columns node and hyperedge"),
    ],
)
def test_mistakes_in_lists_are_named(tmp_path, edges, nodes, said):
    (tmp_path / "hyperedges.csv").write_text(edges)
    if nodes is not None:
        (tmp_path / "nodes.csv").write_text(nodes)
    with pytest.raises(TacitError, match=said):
        tacit.open(tmp_path, "hypergraph")


def test_features_that_are_no_numbers_are_named(tmp_path):
    x = np.ones((8, 2))
    x[3, 1] = np.nan
    with pytest.raises(TacitError, match=r"Node 3 .* NaN or infinite"):
        tacit.open(saved(tmp_path, x=x)).statistics()


def test_zeros_and_ones_stay_and_signed_features_are_standardised(tmp_path):
    assert tacit.open(saved(tmp_path)).statistics()["divisor"] == 1.0
    signed = tacit.open(saved(tmp_path, x=np.eye(8, 3) - 0.5)).statistics()
    assert len(signed["mean"]) == 3 and signed["divisor"] == 1.0


def test_generated_groups_hide_their_classes():
    samples = groups(200)
    assert samples.hypergraph.m == 200 and "repeated incidences" not in samples.hypergraph.trouble
    graph = samples.hypergraph
    majority = sum(np.bincount(samples.labels[graph.members[graph.edges == e]]).max() for e in range(graph.m))
    assert majority / len(graph.members) > 0.75


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "hyperedges", "unusual"),
    [
        ("hyper_cocitation_cora", 1579, {"duplicate hyperedges": 96, "nodes in no hyperedge": 1274}),
        ("hyper_coauthorship_cora", 1072, {"duplicate hyperedges": 102, "nodes in no hyperedge": 320}),
    ],
)
def test_the_public_sets_open_as_they_lie(name, hyperedges, unusual):
    samples = tacit.open(Path(os.environ["TACIT_DATA"]) / "graphs" / name)
    assert (len(samples), samples.hypergraph.m, len(samples.classes)) == (2708, hyperedges, 7)
    assert samples.hypergraph.trouble == unusual and samples.protocols["fixed"].shape == (10, 2708)
    assert (samples.splits == "train").sum() == 140 and (samples.splits == "test").sum() == 2568
