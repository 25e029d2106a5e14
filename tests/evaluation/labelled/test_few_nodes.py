"""Few labelled nodes and held-back hyperedges: what is known must be found, and noise must not."""

import numpy as np
import pytest
import torch

from tacit.errors import TacitError
from tacit.evaluation.labelled.few_nodes import _sums, few_nodes, hyperedges


def test_classes_that_lie_apart_are_told_and_noise_is_not():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(400) % 4
    clear = torch.randn(4, 64, generator=generator)[labels] + 0.5 * torch.randn(400, 64, generator=generator)
    found = few_nodes(clear, labels, 0.1)
    assert found.value > 0.95 and found.low <= found.value <= found.high and found.protocol["train"] == 40
    assert few_nodes(torch.randn(400, 64, generator=generator), labels, 0.1).value < 0.35
    assert few_nodes(clear, labels, 0.1).value == found.value
    assert few_nodes(1000 * clear + 5, labels, 0.1).value == pytest.approx(found.value, abs=0.01)
    with pytest.raises(TacitError, match="cannot be had"):
        few_nodes(clear, labels, 0.001)


def parts(alike: bool) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Hyperedges of three nodes of one half of 200, or of any."""
    draws = np.random.default_rng(0).integers(0, 100, (300, 3)) + (np.arange(300) % 2 * 100)[:, None]
    members = draws if alike else np.random.default_rng(1).integers(0, 200, (300, 3))
    rows = np.array_split(np.arange(300), [180, 240])
    return {name: (members[row].ravel(), np.repeat(row, 3)) for name, row in zip(("train", "val", "test"), rows)}


def test_hyperedges_within_a_half_are_told_from_random_sets():
    halves = torch.randn(2, 32, generator=torch.Generator().manual_seed(0))
    z = halves.repeat_interleave(100, 0)
    assert hyperedges(z, parts(True)).value > 0.7
    assert 0.3 < hyperedges(z, parts(False)).value < 0.7
    assert hyperedges(z, parts(True)).value == hyperedges(z, parts(True)).value


def test_random_sets_have_the_sizes_of_the_hyperedges_and_no_node_twice():
    sizes = np.array([2, 5, 3, 9])
    members = np.concatenate([np.arange(size) for size in sizes])
    sums, y = _sums(torch.eye(10), members, np.repeat([7, 3, 4, 1], sizes), key=0)  # the places of hyperedges are any numbers
    assert y.tolist() == [1] * 4 + [0] * 4 and sums.max() == 1
    assert sums[4:].sum(1).tolist() == sums[:4].sum(1).tolist()
