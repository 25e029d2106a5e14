"""The funnel against all numbers at once: exact where its rounds leave enough, and what it finds is measured."""

import numpy as np
import pytest
import torch

from tacit.embeddings.funnel import Funnel, Leading, Round, Signs
from tacit.errors import TacitError
from tacit.numerics.exact import unit
from tacit.numerics.topk import nearest


def rows(n: int, seed: int, d: int = 48) -> np.ndarray:
    """Numbers that say less and less, and not of mean 0."""
    draws = np.random.default_rng(seed).normal(size=(n, d))
    return (0.3 + draws / np.sqrt(1 + np.arange(d))).astype(np.float32)


@pytest.mark.parametrize("scan", [Leading, Signs])
def test_rounds_that_keep_all_rows_are_exact(scan):
    x, q = rows(300, 0), rows(7, 1)
    found = Funnel(x, [Round(8, 300), Round(16, 300)], scan).search(q, 10)
    truth = nearest(unit(torch.tensor(q)), unit(torch.tensor(x)), 10)
    assert found.positions.equal(truth.positions)
    assert torch.allclose(found.scores, truth.scores, atol=1e-6)


def test_each_round_compares_prefixes_at_length_one():
    x, q = rows(300, 0), rows(1, 1)
    found = Funnel(x, [Round(4, 30), Round(12, 6)], Leading).search(q, 6)
    cosine = {m: x[:, :m] @ q[0, :m] / np.linalg.norm(x[:, :m], axis=1) for m in (4, 12, 48)}
    first = np.argsort(-cosine[4])[:30]
    second = first[np.argsort(-cosine[12][first])[:6]]
    assert found.positions[0].tolist() == second[np.argsort(-cosine[48][second])].tolist()


def test_signs_name_rows_on_whose_side_the_query_lies():
    x, q = unit(torch.tensor(rows(200, 2, 12))), unit(torch.tensor(rows(5, 3, 12)))
    centred = x - x.mean(0)
    scores = ((q - x.mean(0)) / centred.abs().mean(0)) @ centred.sign().T
    named = Signs(x).candidates(q, 20)
    for mine, of in zip(named, scores):  # scores are summed in bytes, so that near ones may swap
        assert of[mine].min() > of.topk(25).values.min() - 1e-6


def test_recall_is_the_share_that_is_found():
    x, q = rows(500, 0), rows(9, 1)
    funnel = Funnel(x, [Round(4, 25)], Leading)
    truth = nearest(unit(torch.tensor(q)), unit(torch.tensor(x)), 10).positions.tolist()
    found = funnel.search(q, 10).positions.tolist()
    share = np.mean([len({*a} & {*b}) / 10 for a, b in zip(found, truth)])
    assert 0 < share < 1 and funnel.recall(q) == pytest.approx(share)


@pytest.mark.parametrize("rounds", [[], [(8, 10), (4, 5)], [(8, 10), (16, 20)], [(0, 10)], [(64, 10)], [(8, 0)], [(8, 31)]])
def test_wrong_rounds_are_named(rounds):
    with pytest.raises(TacitError, match=r"[Rr]ounds"):
        Funnel(rows(30, 0), [Round(*one) for one in rounds])


@pytest.mark.parametrize(("queries", "top", "said"), [((2, 47), 3, "rows of 48"), ((2, 48), 11, "leave 10")])
def test_wrong_questions_are_named(queries, top, said):
    with pytest.raises(TacitError, match=said):
        Funnel(rows(30, 0), [Round(8, 10)]).search(np.ones(queries, np.float32), top)
