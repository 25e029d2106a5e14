"""The supervised contrastive loss: views of one class find each other among all views."""

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather, rank, size, total
from tacit.numerics.tiles import PLAIN
from tacit.numerics.tiling.ring import among_views


def supcon(first: Tensor, second: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Each view must find every other view of its class among all others: two n × d, labels int64 n -> scalar.

    Khosla et al. 2020 (arXiv:2004.11362), equation 2: for each view the mean over its positives of the log-probability, the
    mean outside the logarithm; averaged over the 2N views of all processes. A sample's own other view is one of its
    positives, so that there is always one; where every label is another's, this is `nt_xent`.
    """
    with full_precision():
        kind, first, second = first.dtype, unit(first), unit(second)
        views, classes = torch.cat([first, second]), gather(labels).repeat(2)
        n, half = len(first), len(first) * size()
        if 2 * half > PLAIN:
            names, place, count = classes.unique(return_inverse=True, return_counts=True)
            which = place[rank() * n : (rank() + 1) * n].repeat(2)
            sums = total(views.new_zeros(len(names), views.shape[1]).index_add(0, which, views))
            own = (views * (sums[which] - views)).sum(1) / (count[which] - 1) / temperature
            itself = torch.arange(2 * n, device=first.device)[:, None]
            return (among_views(views, itself, temperature, kind) - own).mean()
        everyone, mine = torch.cat([gather(first), gather(second)]), torch.arange(n, device=first.device) + rank() * n
        myself = torch.cat([mine, mine + half])[:, None]
        likeness = views @ everyone.T / temperature
        told = likeness - likeness.scatter(1, myself, -torch.inf).logsumexp(1, keepdim=True)
        alike = (labels.repeat(2)[:, None] == classes).scatter(1, myself, False).float()
        return -((alike * told).sum(1) / alike.sum(1)).mean()
