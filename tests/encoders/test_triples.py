"""The table of entities."""

import pytest
import torch

from tacit.encoders.triples import EntityTable
from tacit.errors import TacitError
from tacit.method import Facts

FACTS = Facts("triples", 9, (3,), {"entities": ["a", "b", "c"], "relations": ["r"]})


def test_rows_are_looked_up():
    table = EntityTable(FACTS, width=4)
    assert table.dim == 4
    assert torch.equal(table(torch.tensor([[2, 0, 1], [0, -1, -1]])), table.table.weight[[2, 0]])
    assert table.lookup(torch.zeros(2, 5, dtype=torch.int64)).shape == (2, 5, 4)
    table.to_sphere()
    torch.testing.assert_close(table.table.weight.norm(dim=1), torch.ones(3))


def test_mistakes_are_named():
    for index in (-1, 3):
        with pytest.raises(TacitError, match="3 were trained on"):
            EntityTable(FACTS).lookup(torch.tensor([0, index]))
    with pytest.raises(TacitError, match="triples"):
        EntityTable(Facts("vector", 9, (3,)))
    with pytest.raises(TacitError, match="width"):
        EntityTable(FACTS, width=0)
