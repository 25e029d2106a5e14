"""What a teacher says of each sample finds what the student says of the same one."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from tacit.numerics.exact import full_precision
from tacit.numerics.processes import gather, mine
from tacit.numerics.tiles import PLAIN, between


def n_pair(targets: Tensor, scores: Tensor, scale: float) -> Tensor:
    """The cross-entropy with which each target finds its sample among the whole batch: a × n × k, v × n × k -> scalar.

    Sohn 2016 (NeurIPS), equation 6, with one positive and N − 1 negatives, the products times `scale`; averaged over all of the
    a · v pairs of views. Gradient reaches whatever asks for it. Of a large batch only a tile of products is held.
    """
    with full_precision():
        everyone = gather(scores.float().transpose(0, 1).contiguous())  # N × v × k, of all processes
        own = mine(targets.shape[1], targets.device)
        if len(own) * len(everyone) > PLAIN**2:
            pairs = [(scale * rows.float(), looks) for rows in targets for looks in everyone.unbind(1)]
            others = torch.stack([between(rows, looks, own[:, None]) for rows, looks in pairs])
            return softplus(others - torch.stack([(rows * looks[own]).sum(1) for rows, looks in pairs])).mean()
        likeness = scale * torch.einsum("ank,mvk->avnm", targets.float(), everyone)
        return cross_entropy(likeness.flatten(0, 2), own.repeat(len(targets) * len(scores)))
