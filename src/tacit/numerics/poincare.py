"""The Poincaré ball: distances, and stochastic Riemannian gradient descent on links, compiled (Nickel and Kiela 2017)."""

import math

import numba
import numpy as np
import torch
from torch import Tensor

EDGE = 1e-5  # points stay this far inside the ball
LONGEST = 5.0  # Riemannian gradient of a point


def distance(u: Tensor, v: Tensor) -> Tensor:
    """arcosh(1 + 2|u − v|² / ((1 − |u|²)(1 − |v|²))), equation 1: n × d, m × d -> n × m."""
    apart = torch.cdist(u, v, compute_mode="donot_use_mm_for_euclid_dist").square()
    room = (1 - u.square().sum(1))[:, None] * (1 - v.square().sum(1))
    return torch.acosh(1 + 2 * apart / room.clamp_min(EDGE**2))


@numba.njit(cache=True, inline="always")
def _distance(u, v, ball):
    """The distance, in the ball or squared Euclidean, and what its gradient needs: |u|², |v|², ⟨u, v⟩."""
    uu, vv, uv = 0.0, 0.0, 0.0
    for k in range(len(u)):
        uu += u[k] * u[k]
        vv += v[k] * v[k]
        uv += u[k] * v[k]
    apart = max(uu + vv - 2 * uv, 0.0)
    if not ball:
        return apart, uu, vv, uv
    x = 2 * apart / ((1 - uu) * (1 - vv))
    return math.log1p(x + math.sqrt(x * (x + 2))), uu, vv, uv


@numba.njit(cache=True, inline="always")
def _pull(u, v, uu, vv, uv, ball, weight, gradient):
    """Add weight × the distance's gradient by u (equation 4) to what is there."""
    if not ball:
        for k in range(len(u)):
            gradient[k] += weight * 2 * (u[k] - v[k])
        return
    alpha, beta = 1 - uu, 1 - vv
    x = 2 * max(uu + vv - 2 * uv, 0.0) / (alpha * beta)
    by = 4 * weight / max(beta * math.sqrt(x * (x + 2)), EDGE)
    along = (vv - 2 * uv + 1) / (alpha * alpha)
    for k in range(len(u)):
        gradient[k] += by * (along * u[k] - v[k] / alpha)


@numba.njit(cache=True, inline="always")
def _is_link(tails, begin, end, tail):
    place = begin + np.searchsorted(tails[begin:end], tail)
    return place < end and tails[place] == tail


@numba.njit(cache=True, nogil=True)
def descend(points, heads, tails, begin, order, draws, shares, negatives, batch, rate, ball):
    """One pass over some links, in mini-batches; moves `points` (E × d, float64) and returns the sum of the losses.

    heads, tails  int64, n: the links, sorted; those of entity e are begin[e]:begin[e + 1]
    order         int64, m: which links, in which order
    draws         float32, m × tries: by which negatives are drawn, tries ≥ negatives
    shares        float64, E: cumulative shares by which entities are drawn
    The loss of link (u, v) is −log softmax over v and the negatives, which are not linked to u, of −distance to u; its mean
    over a mini-batch is descended. Where fewer negatives are found than wanted, those found are repeated.
    """
    entities, dim = points.shape
    gradient = np.zeros((entities, dim))
    touched = np.empty(batch * (negatives + 2), np.int64)
    is_touched = np.zeros(entities, np.bool_)
    other = np.empty(negatives + 1, np.int64)
    told = np.empty((negatives + 1, 4))
    total = 0.0
    for start in range(0, len(order), batch):
        stop = min(start + batch, len(order))
        count = 0
        for i in range(start, stop):
            u, other[0] = heads[order[i]], tails[order[i]]
            found = 1
            for t in range(draws.shape[1]):
                if found > negatives:
                    break
                drawn = min(np.searchsorted(shares, np.float64(draws[i, t]), side="right"), entities - 1)
                fresh = drawn != u and not _is_link(tails, begin[u], begin[u + 1], drawn)
                for j in range(1, found):
                    fresh = fresh and other[j] != drawn
                if fresh:
                    other[found] = drawn
                    found += 1
            if found == 1:
                continue  # linked to everything
            for j in range(found, negatives + 1):
                other[j] = other[1 + (j - found) % (found - 1)]
            least = np.inf
            for j in range(negatives + 1):
                told[j, 0], told[j, 1], told[j, 2], told[j, 3] = _distance(points[u], points[other[j]], ball)
                least = min(least, told[j, 0])
            mass = 0.0
            for j in range(negatives + 1):
                mass += math.exp(least - told[j, 0])
            total += told[0, 0] - least + math.log(mass)
            for j in range(negatives + 1):
                v, uu, vv, uv = other[j], told[j, 1], told[j, 2], told[j, 3]
                weight = ((j == 0) - math.exp(least - told[j, 0]) / mass) / (stop - start)
                _pull(points[u], points[v], uu, vv, uv, ball, weight, gradient[u])
                _pull(points[v], points[u], vv, uu, uv, ball, weight, gradient[v])
                if not is_touched[v]:
                    is_touched[v] = True
                    touched[count] = v
                    count += 1
            if not is_touched[u]:
                is_touched[u] = True
                touched[count] = u
                count += 1
        for place in range(count):
            e = touched[place]
            is_touched[e] = False
            _move(points[e], gradient[e], rate, ball)
    return total


@numba.njit(cache=True, inline="always")
def _move(x, gradient, rate, ball):
    """x ← retraction of x − rate · Riemannian gradient (equation 5); empties the gradient."""
    size, norm = 0.0, 0.0
    for k in range(len(x)):
        size += x[k] * x[k]
    metric = (1 - size) ** 2 / 4 if ball else 1.0
    for k in range(len(x)):
        norm += (metric * gradient[k]) ** 2
    metric *= min(1.0, LONGEST / max(math.sqrt(norm), 1e-12))
    size = 0.0
    for k in range(len(x)):
        x[k] -= rate * metric * gradient[k]
        gradient[k] = 0.0
        size += x[k] * x[k]
    if ball and math.sqrt(size) > 1 - EDGE:
        for k in range(len(x)):
            x[k] *= (1 - EDGE) / math.sqrt(size)
