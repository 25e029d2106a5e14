"""What was hidden, predicted."""

import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.numerics.exact import full_precision


def hidden_patches(prediction: Tensor, patches: Tensor, mask: Tensor, standardise: bool) -> Tensor:
    """Mean squared error of the hidden patches: n × t × d twice, bool n × t -> scalar.

    He et al. 2021 (arXiv:2111.06377), section 3; with `standardise` every patch by its own mean and deviation (variance with
    d − 1 below, plus 1e-6, as in the released code), of which one value has none: TacitError. Every sample hides equally many,
    so the mean is one over samples.
    """
    if standardise and patches.shape[2] < 2:
        raise TacitError("Patches hold one value each, which has no deviation to be scaled by; give larger patches.")
    with full_precision():
        patches = patches.float()
        if standardise:
            variance, mean = torch.var_mean(patches, dim=2, keepdim=True)
            patches = (patches - mean) * (variance + 1e-6).rsqrt()
        error = (prediction.float() - patches).square().mean(2)
        return (error * mask).sum() / mask.sum()
