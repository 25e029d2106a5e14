"""Filtered ranks and average precision, against naive loops over entities."""

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score

from tacit.errors import TacitError
from tacit.evaluation.links import ranking
from tacit.evaluation.links.ranking import (
    HEADS,
    TAILS,
    average_precision,
    directed,
    filtered_ranks,
    frequency,
    hierarchy_numbers,
    link_numbers,
)

ENTITIES, RELATIONS = 9, 3


@pytest.fixture
def graph():
    torch.manual_seed(0)
    high = torch.tensor([ENTITIES, RELATIONS, ENTITIES])
    true = (torch.rand(80, 3) * high).long().unique(dim=0)
    scores = torch.randint(4, (ENTITIES, RELATIONS, ENTITIES)).float()  # many ties
    return true, true[torch.randperm(len(true))[:25]], scores


def naive(scores, true, triple, asked):
    """Rank among the entities that make no other true triple; ties at the mean of the best and the worst place."""
    known = {tuple(t) for t in true.tolist()}
    own, better, level = scores[tuple(triple)], 0, 0
    for entity in range(ENTITIES):
        other = list(triple)
        other[asked] = entity
        if other == list(triple) or tuple(other) in known:
            continue
        better += int(scores[tuple(other)] > own)
        level += int(scores[tuple(other)] == own)
    return (1 + better + 1 + better + level) / 2


@pytest.mark.parametrize("cells", [1, 40, 10_000])
def test_filtered_ranks_equal_a_naive_loop(graph, cells, monkeypatch):
    monkeypatch.setattr(ranking, "CELLS", cells)
    true, test, scores = graph
    tails = filtered_ranks(lambda h, r: scores[h, r], test, true, ENTITIES, TAILS)
    heads = filtered_ranks(lambda t, r: scores[:, r, t].T, test, true, ENTITIES, HEADS)
    assert tails.tolist() == [naive(scores, true, t, 2) for t in test.tolist()]
    assert heads.tolist() == [naive(scores, true, t, 0) for t in test.tolist()]


def test_a_triple_that_is_not_known_is_ranked_too(graph):
    true, test, scores = graph
    rest = true[~(true[:, None] == test).all(2).any(1)]
    got = filtered_ranks(lambda h, r: scores[h, r], test, rest, ENTITIES, TAILS)
    assert got.tolist() == [naive(scores, rest, t, 2) for t in test.tolist()]


def test_average_precision_is_sklearns():
    torch.manual_seed(1)
    links = torch.cat([torch.randint(6, (40, 1)), torch.zeros(40, 1).long(), torch.randint(30, (40, 1))], 1).unique(dim=0)
    links = links[links[:, 0] != links[:, 2]]
    scores = torch.rand(6, 30, dtype=torch.float64)
    ranks = filtered_ranks(lambda h, r: scores[h], links, links, 30, TAILS, reflexive=False)
    found = average_precision(ranks, links[:, 0])
    wanted = []
    for head in links[:, 0].unique().tolist():
        other = np.arange(30) != head
        of = np.isin(np.arange(30), links[links[:, 0] == head, 2])
        wanted.append(average_precision_score(of[other], scores[head].numpy()[other]))
    np.testing.assert_allclose(found.numpy(), wanted)


def test_numbers_by_hand():
    tails, heads = torch.tensor([1.0, 2.0, 4.0]).double(), torch.tensor([1.0, 1.0, 20.0]).double()
    got = {n.name: n.value for n in link_numbers(tails, heads, torch.tensor([True, False, False]))}
    assert got["mrr"] == pytest.approx((1 + 0.5 + 0.25 + 1 + 1 + 0.05) / 6)
    assert got["hits_at_1"] == pytest.approx(3 / 6) and got["hits_at_10"] == pytest.approx(5 / 6)
    assert got["mean_rank"] == pytest.approx(29 / 6)
    assert got["mrr_tail"] == pytest.approx(1.75 / 3) and got["mrr_directed"] == 1
    best = {n.name: n.value for n in hierarchy_numbers(torch.ones(4).double(), torch.tensor([0, 0, 1, 2]))}
    assert best == {"hierarchy_map": 1, "mean_rank": 1, "mrr": 1}


def test_directions_and_frequencies():
    triples = torch.tensor([[0, 0, 1], [1, 0, 0], [0, 1, 1], [2, 1, 1], [1, 1, 2]])
    assert directed(triples, 3).tolist() == [False, False]  # two of the second relation's three hold both ways
    assert directed(triples[:3], 3).tolist() == [False, True]
    tails, heads = (frequency(triples, 3, side) for side in (TAILS, HEADS))
    assert tails(torch.tensor([0]), torch.tensor([1])).tolist() == [[0, 2, 1]]
    assert heads(torch.tensor([0]), torch.tensor([1])).tolist() == [[1, 1, 1]]


def test_what_is_no_number_is_refused():
    with pytest.raises(TacitError, match="no numbers"):
        filtered_ranks(
            lambda h, r: torch.full((1, 2), torch.nan), torch.tensor([[0, 0, 1]]), torch.zeros(1, 3).long(), 2, TAILS
        )
