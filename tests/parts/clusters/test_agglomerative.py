"""Affinities, chains and mergers against their definitions, by loops."""

import math

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from tacit.numerics.exact import unit
from tacit.parts.clusters.agglomerative import affinities, agglomerated, chains, merged


def blobs(n: int = 24, k: int = 4, spread: float = 0.3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return unit(torch.eye(6)[torch.arange(n) % k] + spread * torch.randn(n, 6, generator=generator))


def alike(labels: torch.Tensor) -> torch.Tensor:
    return labels[:, None] == labels


def test_affinities_are_of_the_nearest_rows_in_units_of_the_mean_distance():
    z, k = blobs(), 5
    squared = torch.cdist(z.double(), z.double()).square()
    order = (squared + torch.eye(len(z)) * 99).argsort(1)[:, :k]
    near = squared.gather(1, order)
    expected = torch.zeros_like(squared).scatter(1, order, torch.exp(-near / near.mean()))
    np.testing.assert_allclose(affinities(z, k).toarray(), expected, atol=1e-5)


def test_chains_are_rows_joined_by_nearest_ones():
    z = blobs()
    group = list(range(len(z)))
    for _ in z:
        for one, other in enumerate((torch.cdist(z, z) + torch.eye(len(z)) * 99).argmin(1).tolist()):
            group[one] = group[other] = min(group[one], group[other])
    labels = chains(z)
    assert torch.equal(alike(labels), alike(torch.tensor(group)))
    assert sorted(labels.unique().tolist()) == list(range(int(labels.max()) + 1))


def naive(weights: np.ndarray, labels: list[int], times: int) -> list[set[int]]:
    """By sums over members; what two clusters reach that became one is the sum of what each did."""
    clusters = {c: {i for i, label in enumerate(labels) if label == c} for c in set(labels)}
    reach = {
        (a, b): sum(sum(weights[i, r] for i in clusters[a]) * sum(weights[r, j] for j in clusters[a]) for r in clusters[b])
        for a in clusters
        for b in clusters
        if a != b
    }
    for _ in range(times):
        near = {
            (a, b): reach[a, b] / len(clusters[a]) ** 2 + reach[b, a] / len(clusters[b]) ** 2
            for a in clusters
            for b in clusters
            if a < b
        }
        a, b = max(near, key=lambda pair: near[pair])
        for c in clusters.keys() - {a, b}:
            reach[a, c] += reach[b, c]
            reach[c, a] += reach[c, b]
        clusters[a] |= clusters.pop(b)
    return sorted(clusters.values(), key=min)


@pytest.mark.parametrize("times", [1, 5, 10])
def test_mergers_are_those_of_the_loops(times):
    z = blobs(spread=0.5)
    affinity, labels = affinities(z, 6), torch.arange(len(z)) // 2
    found = merged(affinity, labels, times)
    parts = [{i for i, one in enumerate(found.tolist()) if one == c} for c in range(12 - times)]
    assert sorted(parts, key=min) == naive(affinity.toarray(), labels.tolist(), times)


def test_of_many_clusters_a_pair_counts_more_where_others_are_far_behind():
    """Two rows that have but one another against six that are all a little nearer."""
    weights = np.zeros((104, 104))
    weights[:6, :6] = 1 - np.eye(6)
    weights[50, 51] = weights[51, 50] = math.sqrt(0.9)
    many = merged(csr_array(weights), torch.arange(104), 1)
    assert many[50] == many[51] and len(many.unique()) == 103
    few = merged(csr_array(weights[:60, :60]), torch.arange(60), 1)
    assert few[50] != few[51] and len(few.unique()) == 59


def test_blobs_are_found_from_chains():
    labels = agglomerated(blobs(200, spread=0.1), 4, 10, 0.9)
    assert torch.equal(alike(labels), alike(torch.arange(200) % 4))
