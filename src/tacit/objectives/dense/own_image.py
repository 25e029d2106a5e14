"""Of patches of several images, which are of one."""

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision, unit


def own_image(tokens: Tensor, temperature: float) -> Tensor:
    """Each token finds the others of its image among all of its mixture: n × images × s × d -> the mean of −log p, scalar."""
    with full_precision():
        z = unit(tokens.flatten(1, 2))
        images = torch.arange(z.shape[1], device=z.device) // tokens.shape[2]
        itself = torch.eye(len(images), dtype=torch.bool, device=z.device)
        told = (z @ z.mT / temperature).masked_fill(itself, -torch.inf).log_softmax(2)
        return -told[:, (images[:, None] == images) & ~itself].mean()
