import numpy as np
import pytest
from scipy.stats import chisquare

from tacit.numerics.walks import first_order, prepared, second_order

KEY = 11


def rows(edges, n, weights=None):
    """From a dense matrix, row by row."""
    dense = np.zeros((n, n))
    dense[tuple(np.array(edges).T)] = 1 if weights is None else weights
    indptr = np.concatenate([[0], np.cumsum((dense > 0).sum(1))])
    return prepared(indptr, np.nonzero(dense)[1], None if weights is None else dense[dense > 0]), dense


def graph(n=12, share=0.4, directed=False, weighted=False):
    g = np.random.default_rng(0)
    edges = [(a, b) for a in range(n) for b in range(n) if a != b and (directed or a < b) and g.random() < share]
    weights = g.exponential(size=len(edges)) + 0.1 if weighted else np.ones(len(edges))
    both = edges if directed else edges + [(b, a) for a, b in edges]
    weights = weights if directed else np.concatenate([weights, weights])
    return rows(both, n, weights if weighted else None)


def chances(dense, t, v, p, q):
    """Of each node after t → v, as node2vec's section 3.2.2 has them."""
    factor = np.where(dense[:, t] > 0, 1.0, 1 / q)
    factor[t] = 1 / p
    product = dense[v] * factor
    return product / product.sum()


def fits(walks, dense, p, q):
    """The smallest p-value over all (t, v), by chi-square, times how many there were."""
    seen = np.stack([walks[:, :-2].ravel(), walks[:, 1:-1].ravel(), walks[:, 2:].ravel()])
    seen = seen[:, seen.min(0) >= 0]
    smallest, tests = 1.0, 0
    for t, v in np.unique(seen[:2], axis=1).T:
        expected = chances(dense, t, v, p, q)
        counts = np.bincount(seen[2, (seen[0] == t) & (seen[1] == v)], minlength=len(dense))
        assert counts[expected == 0].sum() == 0
        if (expected > 0).sum() > 1:
            smallest = min(smallest, chisquare(counts[expected > 0], counts.sum() * expected[expected > 0]).pvalue)
            tests += 1
    assert tests > 20
    return smallest * tests


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("p, q", [(1, 1), (0.25, 4), (0.5, 2), (4, 0.25), (2, 2), (0.1, 0.5)])
def test_second_order_steps_have_node2vecs_chances(p, q, directed, weighted):
    made, dense = graph(directed=directed, weighted=weighted)
    n = 4000
    walks = second_order(made, np.arange(n) % 12, 20, KEY, np.arange(n), p, q)
    assert fits(walks, dense, p, q) > 0.01


@pytest.mark.parametrize("weighted", [False, True])
def test_first_order_steps_follow_the_weights(weighted):
    made, dense = graph(weighted=weighted)
    walks = first_order(made, np.arange(4000) % 12, 20, KEY, np.arange(4000))
    assert fits(walks, dense, 1, 1) > 0.01


def test_the_first_step_follows_the_weights_alone():
    made, dense = graph(weighted=True)
    walks = second_order(made, np.full(20_000, 3), 2, KEY, np.arange(20_000), 0.1, 10)
    expected = dense[3] / dense[3].sum()
    counts = np.bincount(walks[:, 1], minlength=12)
    assert chisquare(counts[expected > 0], 20_000 * expected[expected > 0]).pvalue > 0.001


WALKERS = [first_order, lambda *given: second_order(*given, 0.5, 2.0)]


@pytest.mark.parametrize("walk", WALKERS)
def test_a_walk_depends_on_its_number_alone(walk):
    made, _ = graph()
    starts, numbers = np.arange(300) % 12, np.arange(300) + 10**10
    every = walk(made, starts, 15, KEY, numbers)
    some = np.array([299, 4, 150])
    np.testing.assert_array_equal(walk(made, starts[some], 15, KEY, numbers[some]), every[some])
    assert (walk(made, starts, 15, KEY + 1, numbers) != every).any()
    np.testing.assert_array_equal(walk(made, starts, 9, KEY, numbers), every[:, :9])


@pytest.mark.parametrize("walk", WALKERS)
def test_a_walk_stops_where_nothing_leads_on(walk):
    made, _ = rows([(0, 1), (1, 2)], 4)
    found = walk(made, np.array([0, 2, 3, 1]), 5, KEY, np.arange(4))
    assert found.tolist() == [[0, 1, 2, -1, -1], [2, -1, -1, -1, -1], [3, -1, -1, -1, -1], [1, 2, -1, -1, -1]]
    assert walk(made, np.array([0, 3]), 1, KEY, np.arange(2)).tolist() == [[0], [3]]


@pytest.mark.parametrize(
    "targets, weights, why",
    [([1, 0], None, "ascend"), ([1, 1], None, "twice"), ([0, 1], [1, 0], "above 0"), ([0, 1], [1, np.nan], "finite")],
)
def test_bad_rows_are_refused(targets, weights, why):
    with pytest.raises(ValueError, match=why):
        prepared(np.array([0, 2, 2]), np.array(targets), None if weights is None else np.array(weights))
