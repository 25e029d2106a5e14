"""Series as rows of stretches, as images are rows of patches."""

import torch.nn.functional as F
from torch import Tensor

from tacit.parts.patches import cut


def stretches(x: Tensor, patch: int) -> Tensor:
    """Series n × c × t -> n × t/patch × (c · patch); what is over at the end is filled with 0."""
    return F.pad(x, (0, -x.shape[2] % patch)).unflatten(2, (-1, patch)).transpose(1, 2).flatten(2)


def pieces(x: Tensor, patch: int) -> Tensor:
    """Patches of images n × c × h × w, or stretches of series n × c × t: n × pieces × numbers."""
    return cut(x, patch) if x.ndim == 4 else stretches(x, patch)
