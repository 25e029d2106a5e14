"""The supervised contrastive loss: views of one class find each other among all views."""

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather, mine, size, total
from tacit.numerics.tiles import PLAIN
from tacit.numerics.tiling.ring import among_views


def supcon(first: Tensor, second: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Each view must find every other view of its class among all others: two n × d, labels int64 n -> scalar.

    Khosla et al. 2020 (arXiv:2004.11362), equation 2: for each view the mean over its positives of the log-probability, the
    mean outside the logarithm; averaged over the 2N views of all processes. A sample's own other view is one of its
    positives, so that there is always one; where every label is another's, this is `nt_xent`.
    """
    return among_labelled(torch.cat([first, second]), labels.repeat(2), temperature)


def among_labelled(views: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """The same of any views, m × d, with labels int64 m, each of which must be there twice or more -> scalar."""
    with full_precision():
        kind, views, classes = views.dtype, unit(views), gather(labels)
        m = len(views)
        if m * size() > PLAIN:
            names, place, count = classes.unique(return_inverse=True, return_counts=True)
            which = place[mine(m, views.device)]
            sums = total(views.new_zeros(len(names), views.shape[1]).index_add(0, which, views))
            own = (views * (sums[which] - views)).sum(1) / (count[which] - 1) / temperature
            itself = torch.arange(m, device=views.device)[:, None]
            return (among_views(views, itself, temperature, kind) - own).mean()
        myself = mine(m, views.device)[:, None]
        likeness = views @ gather(views).T / temperature
        told = likeness - likeness.scatter(1, myself, -torch.inf).logsumexp(1, keepdim=True)
        alike = (labels[:, None] == classes).scatter(1, myself, False).float()
        return -((alike * told).sum(1) / alike.sum(1)).mean()
