"""One-vs-rest logistic regression as the field of graphs uses it: few samples, several labels perhaps, a sweep of costs."""

from collections.abc import Sequence

import torch
from torch import Tensor

COSTS = tuple(2.0**power for power in range(-10, 10))
ROUNDS, CLOSE = 30, 1e-6  # of Newton's method, at most; the largest change of a weight at which it rests


def one_vs_rest(features: Tensor, targets: Tensor, costs: Sequence[float] = COSTS) -> Tensor:
    """Weights of a head per class and cost, costs × classes × (d + 1): features n × d, targets bool, n × classes.

    Minimises ½ ‖w‖² + C Σ log(1 + exp(−y w·x)) with a last feature of 1, whose weight is penalised too, which is what liblinear
    does (Fan et al. 2008, JMLR 9); by Newton's method, each cost from the solution of the one before it. Weights lie among the
    rows, so that where features are more than samples they are sought there.
    """
    whole, y = _with_one(features), targets.double()
    among = torch.linalg.svd(whole, full_matrices=False).Vh if whole.shape[1] > len(whole) else None
    x = whole if among is None else whole @ among.T
    weights, found = x.new_zeros(y.shape[1], x.shape[1]), []
    for cost in costs:
        for _ in range(ROUNDS):
            chance = (x @ weights.T).sigmoid()
            slope = weights + cost * (chance - y).T @ x
            curve = torch.einsum("nk,ni,nj->kij", cost * chance * (1 - chance), x, x)
            curve.diagonal(dim1=1, dim2=2).add_(1)
            step = torch.cholesky_solve(slope[:, :, None], torch.linalg.cholesky(curve))[:, :, 0]
            weights = weights - _length(x, y, weights, step, cost) * step
            if float(step.abs().max()) < CLOSE:
                break
        found.append(weights)
    return torch.stack(found) if among is None else torch.stack(found) @ among


def scores(weights: Tensor, features: Tensor) -> Tensor:
    """The logits of heads … × classes × (d + 1) for features m × d: … × m × classes."""
    return _with_one(features) @ weights.transpose(-1, -2)


def best_cost(features: Tensor, targets: Tensor, costs: Sequence[float] = COSTS, folds: int = 5) -> float:
    """The cost with the highest share of samples whose labels are all right, over folds of neighbouring rows; of equal ones the
    smallest. That is what scikit-learn's GridSearchCV does with one-vs-rest heads on one-hot labels."""
    fold = torch.arange(len(features)) * folds // max(len(features), 1)
    right = torch.zeros(len(costs), dtype=torch.float64)
    for held in range(folds):
        test = fold == held
        logits = scores(one_vs_rest(features[~test], targets[~test], costs), features[test])
        right += ((logits > 0) == targets[test]).all(2).double().mean(1)
    return costs[int(right.argmax())]


def _with_one(features: Tensor) -> Tensor:
    return torch.nn.functional.pad(features.double(), (0, 1), value=1.0)


def _length(x: Tensor, y: Tensor, weights: Tensor, step: Tensor, cost: float) -> Tensor:
    """How much of its step each class takes, classes × 1: the first of 1, ½, ¼ … that does not climb."""

    def objective(w: Tensor) -> Tensor:
        logits = x @ w.T
        return 0.5 * w.square().sum(1) + cost * (torch.nn.functional.softplus(logits) - y * logits).sum(0)

    now, length = objective(weights), torch.ones(len(weights), 1, dtype=x.dtype)
    for _ in range(20):
        climbs = objective(weights - length * step) > now + 1e-9 * now.abs()
        if not bool(climbs.any()):
            break
        length = torch.where(climbs[:, None], length / 2, length)
    return length
