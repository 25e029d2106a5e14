"""Which of the hidden patches of a sample is which."""

import torch
import torch.nn.functional as F
from torch import Tensor

from tacit.numerics.exact import full_precision


def among_hidden(predictions: Tensor, patches: Tensor) -> Tensor:
    """Cross-entropy of finding, for every hidden patch, its prediction among those of its sample: n × h × d twice -> scalar.

    Dot products without norm or temperature (Gong et al. 2021, arXiv:2110.09784, section 2.3, as in the released code, whose
    softmax is over predictions where equation 1 sums over patches).
    """
    with full_precision():
        scores = torch.einsum("nid,njd->nij", patches.float(), predictions.float())
        own = torch.arange(scores.shape[1], device=scores.device).expand(len(scores), -1)
        return F.cross_entropy(scores.flatten(0, 1), own.flatten())
