"""Collections of graphs, and the sentence for each mistake."""

import numpy as np
import pytest

import tacit
from tacit.errors import TacitError

EDGES = np.array([[0, 1, 2, 3, 3, 4], [1, 0, 3, 2, 4, 3]])
BATCH = np.array([0, 0, 1, 1, 1])


def save(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


def test_an_archive_of_graphs_is_opened(tmp_path):
    folds = np.array([[True, False], [False, True]])
    tags = np.array([5, 7, 5, 5, 7])
    found = tacit.open(
        save(tmp_path / "g.npz", edge_index=EDGES, batch=BATCH, node_tag=tags, y=np.array([3, 1]), fold_test_mask=folds)
    )
    assert found.kind == "graphs" and len(found) == 2 and found.union.starts.tolist() == [0, 2, 5]
    assert found.union.whole.features.tolist() == [[1, 0], [0, 1], [1, 0], [1, 0], [0, 1]]
    assert found.labels.tolist() == [1, 0] and found.folds.tolist() == folds.tolist()
    part = found.take(np.array([1]))
    assert part.read(np.array([0]))[0].index.tolist() == [1] and part.ids == ["00001"]
    assert "graphs" in str(tacit.inspect(str(tmp_path))) and "of a graph 2 to 3" in str(tacit.inspect(str(tmp_path)))


def test_torch_geometric_objects():
    geometric = pytest.importorskip("torch_geometric.data")
    import torch

    each = [geometric.Data(x=torch.ones(n, 2), edge_index=torch.tensor([[0, 1], [1, 0]]), y=torch.tensor([n])) for n in (2, 4)]
    found = tacit.open(each)
    assert found.kind == "graphs" and found.union.starts.tolist() == [0, 2, 6] and found.classes == ("2", "4")


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"batch": BATCH[::-1]}, "does not ascend"),
        ({"batch": np.array([0, 0, 2, 2, 2])}, "1 graphs of .* have no nodes"),
        ({"batch": np.array([0, 0, 0, 1, 1])}, "lead from one graph to another"),
        ({"batch": BATCH, "y": np.array([1])}, "2 graphs and y of 1"),
        ({"batch": BATCH[:4]}, "end at a node that it does not have"),
        ({"batch": BATCH, "fold_test_mask": np.ones((2, 3), bool)}, "is of 3 graphs and there are 2"),
    ],
)
def test_mistakes_are_named(tmp_path, arrays, said):
    with pytest.raises(TacitError, match=said):
        tacit.open(save(tmp_path / "g.npz", edge_index=EDGES, **arrays))
