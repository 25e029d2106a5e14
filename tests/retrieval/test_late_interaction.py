"""MaxSim against a loop over questions, documents and tokens."""

import pytest
import torch

from tacit.errors import TacitError
from tacit.method import Ragged
from tacit.retrieval import late_interaction
from tacit.retrieval.late_interaction import maxsim


def ragged(*lengths: int, seed: int = 0, d: int = 5) -> Ragged:
    values = torch.randn(sum(lengths), d, generator=torch.Generator().manual_seed(seed))
    return Ragged(values, torch.tensor([0, *lengths]).cumsum(0))


def part(of: Ragged, i: int) -> torch.Tensor:
    return of.values[of.offsets[i] : of.offsets[i + 1]]


@pytest.mark.parametrize("tile", [1, 40, 1 << 22])
def test_it_is_the_sum_of_the_largest(monkeypatch, tile):
    monkeypatch.setattr(late_interaction, "TILE", tile)
    questions, documents = ragged(3, 1, 4), ragged(7, 2, 2, 9, 1, 5, seed=1)
    found = maxsim(questions, documents)
    for i in range(3):
        for j in range(6):
            by_hand = sum(max(float(q @ t) for t in part(documents, j)) for q in part(questions, i))
            assert float(found[i, j]) == pytest.approx(by_hand, rel=1e-5, abs=1e-5)


def test_nothing_is_no_document():
    with pytest.raises(TacitError, match="no tokens"):
        maxsim(ragged(3), ragged(2, 0, 4))
