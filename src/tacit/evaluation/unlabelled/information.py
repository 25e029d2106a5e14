"""Lower bounds on the mutual information of two views, without labels; what they say of quality is Tschannen et al.'s doubt.

The critic is the cosine similarity over a temperature: it is not trained here, so the bounds may lie far below the mutual
information, and a change of them may be a change of the critic's fit (Tschannen et al. 2020, arXiv:1907.13625, section 3).
There is no bound by the Jensen-Shannon divergence: what it bounds is not the mutual information.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from tacit.errors import TacitError, positive
from tacit.evaluation.intervals import Z, subsample
from tacit.evaluation.number import NAN, Number, missing
from tacit.numerics.exact import unit

LIMIT = 8192  # samples: the time grows with their square
CELLS = 1 << 20  # scores held at once


def mi_infonce(first: Tensor, second: Tensor, temperature: float = 0.1) -> Number:
    """InfoNCE: log n + mean of s_ii − log Σ_j exp(s_ij), in nats, at most log n; two views, n × d both.

    van den Oord et al. 2018 (arXiv:1807.03748, equation 4 and appendix A.1), with s the cosine over the temperature and every
    second view in the sum, the positive among them. From the first view to the second only. Compare at equal n only.
    """
    u, v = _views(first, second, temperature, "mi_infonce")
    n = len(u)
    if n < 2:
        return missing("mi_infonce", f"the bound needs views of at least 2 samples, and there is {n}.")
    terms, columns = [], torch.zeros(n, dtype=torch.float64, device=u.device)
    for start, scores in _tiles(u, v, temperature):
        everything = scores.logsumexp(1, keepdim=True)
        terms.append(scores.diagonal(start) - everything[:, 0])
        columns += (scores - everything).exp_().sum(0)
    each = torch.cat(terms)
    value = math.log(n) + float(each.mean())
    half = _half(each - each.mean() - (columns - 1))  # a sample's own term, less what it adds to the sums of the others
    protocol = {
        **_protocol(n, len(first), temperature),
        "bound": f"at most log n = {math.log(n):.4f} nats, whatever the mutual information",
        "interval": "delta method over samples, 95 %: of the bound at this n",
    }
    return _number("mi_infonce", value, half, math.log(n), protocol)


def mi_nwj(first: Tensor, second: Tensor, temperature: float = 0.1) -> Number:
    """NWJ: E f(positive) − E exp(f(negative) − 1), in nats; two views, n × d both.

    Nguyen, Wainwright and Jordan 2010, as in Poole et al. 2019 (arXiv:1905.06922). f is the cosine over the
    temperature plus a constant: without one the bound is far below 0, as the cosine's exponential does not average to e. The
    constant that is best on one half of the samples, 1 − log E exp(s), is taken and the other half is measured, which keeps
    it a lower bound. Not held by log n, but noisier than InfoNCE; below 0 it says nothing.
    """
    u, v = _views(first, second, temperature, "mi_nwj")
    if len(u) < 4:
        return missing("mi_nwj", f"the bound needs views of at least 2 samples in each half, and there are {len(u)} in all.")
    half_u, half_v = u[0::2], v[0::2]  # every second row: both halves alike even where rows are in order of class
    m = len(half_u)
    logs = torch.cat([_without_own(s, start).logsumexp(1) for start, s in _tiles(half_u, half_v, temperature)])
    constant = 1 - (float(logs.logsumexp(0)) - math.log(m * (m - 1)))
    u, v = u[1::2], v[1::2]
    n = len(u)
    own, rows, columns = [], [], torch.zeros(n, dtype=torch.float64, device=u.device)
    for start, scores in _tiles(u, v, temperature):
        own.append(scores.diagonal(start).clone())
        potentials = (_without_own(scores, start) + (constant - 1)).exp_()
        rows.append(potentials.sum(1) / (n - 1))
        columns += potentials.sum(0) / (n - 1)
    positives, outward = torch.cat(own), torch.cat(rows)
    value = float(positives.mean() - outward.mean()) + constant
    half = _half(positives - positives.mean() - (outward + columns - 2 * outward.mean()))
    protocol = {
        **_protocol(n, len(first), temperature),
        "constant": constant,
        "constant_from": f"the {m} samples at even places; the others are measured",
        "interval": "delta method over samples, 95 %: of the bound with this constant",
    }
    return _number("mi_nwj", value, half, math.inf, protocol)


def _views(first: Tensor, second: Tensor, temperature: float, name: str) -> tuple[Tensor, Tensor]:
    positive(temperature=temperature)
    if first.shape != second.shape:
        raise TacitError(f"{name} got views of shapes {tuple(first.shape)} and {tuple(second.shape)}; they must be equal.")
    rows = torch.from_numpy(subsample(len(first), LIMIT, name)).to(first.device)
    return unit(first[rows]), unit(second[rows])


def _tiles(u: Tensor, v: Tensor, temperature: float) -> Iterator[tuple[int, Tensor]]:
    """The first row's number and the critic's scores of some first views with all second views, float64."""
    rows = max(1, CELLS // len(v))
    for start in range(0, len(u), rows):
        yield start, (u[start : start + rows] @ v.T).double() / temperature


def _without_own(scores: Tensor, start: int) -> Tensor:
    scores.diagonal(start).fill_(-torch.inf)
    return scores


def _half(added: Tensor) -> float:
    """Of the 95 % interval of a mean, from what each sample adds to it to first order."""
    n = len(added)
    return Z * math.sqrt(float(added.square().sum()) / (n - 1) / n)


def _protocol(n: int, came: int, temperature: float) -> dict[str, object]:
    drawn = {"drawn_from": came} if n < came else {}
    return {"samples": n, **drawn, "critic": "cosine over the temperature", "temperature": temperature, "unit": "nat"}


def _number(name: str, value: float, half: float, most: float, protocol: dict[str, object]) -> Number:
    if half < 1e-9:
        return Number(name, value, NAN, NAN, {**protocol, "interval": "none: nothing varies from sample to sample"})
    return Number(name, value, value - half, min(value + half, most), protocol)
