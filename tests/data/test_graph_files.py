"""Graphs from files and objects, and the sentence for each mistake."""

import numpy as np
import pytest

import tacit
from tacit.errors import TacitError


def save(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


EDGES = np.array([[0, 1, 1, 2], [1, 0, 2, 1]])


def test_an_archive_with_edges_is_a_graph(tmp_path):
    x, mask = np.eye(4, 3, dtype=np.uint8), np.array([True, False, False, False])
    file = save(
        tmp_path / "g.npz", edge_index=EDGES, x=x, y=np.array([5, 7, 5, -1]), train_mask=mask, test_mask=mask[::-1],
        geom_train_mask=np.stack([mask, ~mask]), train_idx_20=np.array([2]), edge_index_other=EDGES[:, :2],
    )  # fmt: skip
    found = tacit.open(file)
    assert found.kind == "graph" and len(found) == 4 and found.graph.edges == 4 and found.ids[2] == "00002"
    assert found.labels.tolist() == [0, 1, 0, -1] and found.classes == ("5", "7")
    assert found.splits.tolist() == ["train", "other", "other", "test"]
    assert {name: marks.shape for name, marks in found.protocols.items()} == {"fixed": (1, 4), "20": (1, 4), "geom": (2, 4)}
    assert found.relations["other"].edges == 2
    assert tacit.open(str(tmp_path)).kind == "graph"


def test_without_features_or_labels(tmp_path):
    found = tacit.open(save(tmp_path / "g.npz", edge_index=EDGES))
    assert len(found) == 3 and found.labels is None and found.facts()["shape"] == [16]
    several = tacit.open(save(tmp_path / "h.npz", edge_index=EDGES, y_multilabel=np.eye(3, dtype=np.uint8)))
    assert several.labels is None and several.multilabel.dtype == bool


@pytest.mark.parametrize(("parted", "suffix"), [(",", ".csv"), ("\t", ".tsv")])
def test_a_list_of_edges(tmp_path, parted, suffix):
    file = tmp_path / f"list{suffix}"
    file.write_text(
        "# who knows whom\n"
        + "\n".join(parted.join(row) for row in (("source", "target", "weight"), ("b", "a", "2"), ("c", "b", "3")))
    )
    found = tacit.open(str(file))
    assert list(found.ids) == ["a", "b", "c"] and found.graph.weights.tolist() == [2, 3]
    assert found.graph.indices.tolist() == [0, 1] and found.graph.directed


def test_a_list_without_a_header(tmp_path):
    file = tmp_path / "list.edges"
    file.write_text("10 20\n20 10\n20 30\n")
    found = tacit.open(str(file))
    assert list(found.ids) == ["10", "20", "30"] and found.graph.edges == 3
    plain = tmp_path / "list.csv"
    plain.write_text("1,2\n2,1\n")
    assert len(tacit.open(str(plain), "graph")) == 2


def test_edges_beside_nodes(tmp_path):
    (tmp_path / "edges.csv").write_text("source,target\np1,p2\np2,p1\np3,p1\n")
    (tmp_path / "nodes.csv").write_text("id,label,split,a,b\np3,x,train,1,0.5\np1,y,test,0,2\np2,,other,1,1\np9,x,train,0,0\n")
    found = tacit.open(str(tmp_path))
    assert (
        list(found.ids) == ["p3", "p1", "p2", "p9"] and found.classes == ("x", "y") and found.labels.tolist() == [0, 1, -1, 0]
    )
    assert found.graph.features.tolist() == [[1, 0.5], [0, 2], [1, 1], [0, 0]] and found.splits[1] == "test"
    assert found.graph.trouble == {"edges without their reverse": 1, "isolated nodes": 1}
    (tmp_path / "edges.csv").write_text("source,target\np1,p2\np2,p77\n")
    with pytest.raises(TacitError, match=r"1 edges of edges.csv .* does not have, the first of them p2 → p77"):
        tacit.open(str(tmp_path))


def test_a_torch_geometric_object():
    geometric = pytest.importorskip("torch_geometric.data")
    import torch

    data = geometric.Data(x=torch.ones(3, 2), edge_index=torch.from_numpy(EDGES), y=torch.tensor([0, 1, 1]))
    data.train_mask = torch.tensor([[True, False], [False, True], [False, False]])
    found = tacit.open(data)
    assert found.kind == "graph" and len(found) == 3 and found.protocols["fixed"].tolist() == [[1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"edge_index": EDGES.T}, "2 × E"),
        ({"edge_index": EDGES, "x": np.ones((2, 3))}, "end at a node that it does not have"),
        ({"edge_index": EDGES, "x": np.ones((3, 3)), "y": np.ones(2, int)}, "one label per node"),
        ({"edge_index": EDGES, "x": np.ones(3)}, "N × F numbers"),
        ({"edge_index": EDGES, "edge_weight": np.ones(2)}, "one per edge"),
        ({"edge_index": EDGES, "train_mask": np.ones(5, bool)}, "of 5 nodes and there are 3"),
        ({"edge_index": EDGES[:, :0]}, "a graph of 0 nodes"),
    ],
)
def test_mistakes_are_named(tmp_path, arrays, said):
    with pytest.raises(TacitError, match=said):
        tacit.open(save(tmp_path / "g.npz", **arrays))
