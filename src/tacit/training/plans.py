"""What a method plans of an epoch, checked once and brought to the CPU, where positions are looked up."""

from typing import Any

import torch
from torch import Tensor

from tacit.method import Plan


def settled(plan: Plan, n: int) -> Plan:
    """The plan on the CPU; a `ValueError` says what does not fit a main stream of n samples."""
    batches = None if plan.batches is None else [_positions("batches", batch, n) for batch in plan.batches]
    partners = None if plan.partners is None else _positions("partners", plan.partners, n)
    weights = None if plan.weights is None else torch.as_tensor(plan.weights).detach().cpu().double()
    if partners is not None and (partners.ndim != 2 or len(partners) != n or not partners.shape[1]):
        raise ValueError(f"Plan(partners=…) takes {n} × k positions, one row per sample, not {tuple(partners.shape)}")
    if weights is not None and weights.shape != (n,):
        raise ValueError(f"Plan(weights=…) takes {n} numbers, one per sample, not {tuple(weights.shape)}")
    if weights is not None and not (bool((weights >= 0).all()) and 0 < float(weights.sum()) < float("inf")):
        raise ValueError("Plan(weights=…) takes finite numbers that are 0 or more, and not all of them 0")
    return Plan(batches, partners, weights)


def _positions(what: str, given: Any, n: int) -> Tensor:
    index = torch.as_tensor(given).detach().cpu()
    if index.is_floating_point() or index.dtype == torch.bool:
        raise ValueError(f"Plan({what}=…) takes whole positions, not {index.dtype}")
    if index.numel() and not 0 <= int(index.min()) <= int(index.max()) < n:
        raise ValueError(f"Plan({what}=…) names position {int(index.min())} to {int(index.max())} of 0 to {n - 1}")
    return index.long()
