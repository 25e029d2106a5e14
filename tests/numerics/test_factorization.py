import numpy as np
from scipy.linalg import expm

from tacit.numerics.factorization import factorized, spread, times


def graph(n=60):
    g = np.random.default_rng(0)
    dense = np.triu(g.random((n, n)) < 0.2, 1) * g.uniform(0.5, 2, (n, n))
    dense = (dense + dense.T).astype(np.float32)
    dense[0, 1] = dense[1, 0] = 1
    return dense, (np.concatenate([[0], np.cumsum((dense > 0).sum(1))]), np.nonzero(dense)[1].astype(np.int32))


def test_times_is_a_matrix_product():
    dense, rows = graph()
    x = np.random.default_rng(1).normal(size=(60, 5))
    np.testing.assert_allclose(times(*rows, dense[dense > 0], x), dense @ x, rtol=1e-4, atol=1e-4)


def test_the_factorisation_is_the_truncated_svd_of_the_papers_matrix():
    dense, rows = graph()
    share = dense / dense.sum(1, keepdims=True)
    noise = share.sum(0) ** 0.75
    with np.errstate(divide="ignore"):
        matrix = np.where(dense > 0, np.log(share) - np.log(noise / noise.sum()), 0)
    u, s, _ = np.linalg.svd(matrix)
    found = factorized(*rows, dense[dense > 0], 50, 3)[:, :8]  # with a basis of all 60: exact
    expected = u[:, :8] * np.sqrt(s[:8])
    signs = np.sign((found * expected).sum(0))
    np.testing.assert_allclose(found * signs, expected, atol=1e-3)


def test_the_filter_is_the_papers():
    dense, rows = graph()
    x = np.random.default_rng(1).normal(size=(60, 4)).astype(np.float32)
    degree = dense.sum(1, keepdims=True) + 1
    onward = (dense + np.eye(60)) / degree
    shifted = np.eye(60) - onward - 0.2 * np.eye(60)
    passed = onward @ (x - expm(-0.5 * (shifted @ shifted / 2 - np.eye(60))) @ x)
    u, s, _ = np.linalg.svd(passed, full_matrices=False)
    expected = u * np.sqrt(s)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = spread(*rows, dense[dense > 0], x)
    np.testing.assert_allclose(np.abs((found * expected).sum(0)), (expected**2).sum(0), rtol=1e-3)
