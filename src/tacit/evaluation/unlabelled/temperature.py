"""Which temperature of a contrastive loss would look at how many negatives, read off trained features."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from tacit.errors import TacitError, positive
from tacit.evaluation.intervals import subsample
from tacit.evaluation.number import figures
from tacit.evaluation.unlabelled.tolerance import ANCHORS, CELLS, relative_penalties
from tacit.numerics.exact import unit

TEMPERATURES = (0.02, 0.05, 0.07, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)
NEAREST = 0.01  # of the negatives


@dataclass(frozen=True)
class Attention:
    """How each temperature would spread the push on an anchor over its negatives.

    temperatures  in the order asked for
    effective     the mean over anchors of the effective number of negatives: 1 the nearest alone, `negatives` all alike
    share         of the push that falls on the nearest 1 %, mean over anchors
    negatives     of each anchor, all of them
    nearest       so many are the nearest 1 %, at least one
    anchors       over which is averaged
    """

    temperatures: tuple[float, ...]
    effective: tuple[float, ...]
    share: tuple[float, ...]
    negatives: int
    nearest: int
    anchors: int

    def as_dict(self) -> dict[str, Any]:
        """JSON only."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def __str__(self) -> str:
        rows = [["temperature", "effective negatives", f"push on the nearest {self.nearest}"]]
        for temperature, effective, share in zip(self.temperatures, self.effective, self.share):
            rows.append([f"{temperature:g}", figures(effective), f"{100 * share:.1f} %"])
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        lines.insert(1, "  ".join("─" * width for width in widths))
        return "\n".join([*lines, f"Of {self.negatives} negatives of each of {self.anchors} anchors."])


def attention(features: Tensor, temperatures: Sequence[float] = TEMPERATURES) -> Attention:
    """The relative penalties r_ij = exp(s_ij / τ) / Σ_{k ≠ i} exp(s_ik / τ) of Wang and Liu 2021, summarised: features n × d.

    Understanding the Behaviour of Contrastive Loss, arXiv:2012.09740; s is the cosine, the negatives of an
    anchor are all other samples. The effective number is the exponential of the entropy of r_i (not in the paper). Anchors
    are those of `relative_penalties`: at most 1024, drawn by counter. It tells what the loss would do with these features,
    not what training at that temperature leads to.
    """
    if features.ndim != 2 or len(features) < 2 or not bool(features.isfinite().all()):
        raise TacitError(f"Penalties got features of shape {tuple(features.shape)}; give at least 2 finite rows, n × d.")
    if not temperatures:
        raise TacitError("Penalties got no temperature; give at least one.")
    for temperature in temperatures:
        positive(temperature=temperature)
    negatives = len(features) - 1
    nearest = max(1, round(NEAREST * negatives))
    share = relative_penalties(features, temperatures, (nearest,))[:, 0]
    x = unit(features)
    anchors = torch.from_numpy(subsample(len(x), ANCHORS, "relative_penalties")).to(x.device)
    total = torch.zeros(len(temperatures), dtype=torch.float64, device=x.device)
    for tile in anchors.split(max(1, CELLS // len(x))):
        scores = (x[tile] @ x.T).double()
        scores.scatter_(1, tile[:, None], -torch.inf)
        for row, temperature in enumerate(temperatures):
            penalties = (scores / temperature).softmax(1)
            total[row] += torch.special.entr(penalties).sum(1).exp().sum()
    effective = (total / len(anchors)).clamp(1, negatives)  # but for rounding it lies between
    return Attention(
        tuple(map(float, temperatures)), tuple(effective.tolist()), tuple(share.tolist()), negatives, nearest, len(anchors)
    )
