"""Nodes embedded without walks: a sparse factorisation of their proximities, spread along the graph (ProNE).

Zhang, Dong, Wang, Tang, Ding, "ProNE: Fast and Scalable Network Representation Learning", IJCAI 2019.
"""

import numba
import numpy as np

from tacit.numerics.counter import normal

FAST = {"reassoc", "contract", "nsz", "arcp"}
MORE, ROUNDS = 16, 4  # columns beyond those asked for, and power iterations, of the randomised SVD
NEGLIGIBLE = 1e-6  # of the filter's coefficients


def factorized(indptr: np.ndarray, indices: np.ndarray, weights: np.ndarray, dim: int, key: int) -> np.ndarray:
    """The first step (section 3.1): U √Σ of the logarithms of how much likelier an edge is than its noise, float32, N × dim.

    An undirected graph in compressed rows, its edges in both directions, weights float32, one for each. An edge i → j has
    log(w_ij / d_i) − log P_j, where P_j grows as (Σ_i w_ij / d_i)^0.75. Logarithms below 0 are kept, as in the paper.
    Randomised SVD (Halko et al. 2011, algorithm 4.4).
    """
    n = len(indptr) - 1
    row = np.repeat(np.arange(n), np.diff(indptr))
    chance = weights / np.bincount(row, weights, n)[row]
    noise = np.bincount(indices, chance, n) ** 0.75
    values = (np.log(chance) - np.log((noise / noise.sum())[indices])).astype(np.float32)
    turned = values[_mirror(indptr, indices)]  # of j → i at the place of i → j: the transpose on the same rows
    basis = normal(key, np.arange(n), min(dim + MORE, n))
    for _ in range(ROUNDS):
        basis, _ = np.linalg.qr(times(indptr, indices, turned, basis))
        basis, _ = np.linalg.qr(times(indptr, indices, values, basis))
    small = times(indptr, indices, turned, basis)  # Mᵀ Q
    squares, axes = np.linalg.eigh(small.T @ small)
    largest = np.argsort(squares)[::-1][:dim]
    return (basis @ axes[:, largest] * np.maximum(squares[largest], 0) ** 0.25).astype(np.float32)


def spread(
    indptr: np.ndarray, indices: np.ndarray, weights: np.ndarray, vectors: np.ndarray, mu: float = 0.2, theta: float = 0.5
) -> np.ndarray:
    """The second step (section 3.2): vectors N × d through a band-pass of the graph's spectrum, float32, N × d of length one.

    With S = D⁻¹(A + I) and L = I − S: S (R − exp(−θ (½ (L − µ)² − 1)) R), the exponential by Chebyshev polynomials, then made
    orthogonal: U √Σ of the result. Differs from the paper: left out are terms whose coefficient is below 1e-6, and not those
    after the tenth.
    """
    from scipy.special import iv

    n = len(indptr) - 1
    row = np.repeat(np.arange(n), np.diff(indptr))
    degree = np.bincount(row, weights, n) + 1
    steps, own = (weights / degree[row]).astype(np.float32), (1 / degree).astype(np.float32)[:, None]

    def onward(x: np.ndarray) -> np.ndarray:
        """D⁻¹(A + I) x."""
        return times(indptr, indices, steps, x) + own * x

    def shifted(x: np.ndarray) -> np.ndarray:
        """(L − µ) x."""
        return np.float32(1 - mu) * x - onward(x)

    def doubled(x: np.ndarray) -> np.ndarray:
        """2 (½ (L − µ)² − I) x."""
        return shifted(shifted(x)) - 2 * x

    before, now = vectors, doubled(vectors) / 2
    band = np.float32(iv(0, theta)) * before - np.float32(2 * iv(1, theta)) * now
    term = 2
    while iv(term, theta) > NEGLIGIBLE:
        before, now = now, doubled(now) - before
        band += np.float32((-1) ** term * 2 * iv(term, theta)) * now
        term += 1
    passed = onward(vectors - band)
    squares, axes = np.linalg.eigh((passed.T @ passed).astype(np.float64))
    scale = np.maximum(squares, squares.max() * 1e-10) ** -0.25
    found = passed @ (axes * scale)[:, ::-1].astype(np.float32)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), np.float32(1e-12))


def times(indptr: np.ndarray, indices: np.ndarray, values: np.ndarray, dense: np.ndarray) -> np.ndarray:
    """A sparse matrix in compressed rows times a dense one: float32, N × d."""
    out = np.zeros((len(indptr) - 1, dense.shape[1]), np.float32)
    _times(indptr, indices, values, np.ascontiguousarray(dense, np.float32), out)
    return out


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _times(indptr, indices, values, dense, out):
    for i in range(len(indptr) - 1):
        for e in range(indptr[i], indptr[i + 1]):
            for c in range(dense.shape[1]):
                out[i, c] += values[e] * dense[indices[e], c]


@numba.njit(cache=True, nogil=True)
def _mirror(indptr, indices):
    """Where the edge j → i stands, for every edge i → j: rows ascend, so those that lead to j come in their order."""
    place, found = indptr[:-1].copy(), np.empty(len(indices), np.int64)
    for i in range(len(indptr) - 1):
        for e in range(indptr[i], indptr[i + 1]):
            found[e] = place[indices[e]]
            place[indices[e]] += 1
    return found
