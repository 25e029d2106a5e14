"""The one multi-layer perceptron: projectors and predictors are lines that call it."""

from itertools import pairwise

from torch import nn


def mlp(*widths: int, norm: bool = True, last_norm: bool = False, last_bias: bool = True) -> nn.Sequential:
    """Linear layers of these widths with (normalisation and) ReLU between them: `mlp(512, 512, 128)`.

    `norm` puts batch normalisation before every ReLU (the layer's own bias is then left out); `last_norm` ends with one
    that scales but does not shift.
    """
    layers: list[nn.Module] = []
    *hidden, last = pairwise(widths)
    for width, to in hidden:
        layers.append(nn.Linear(width, to, bias=not norm))
        if norm:
            layers.append(nn.BatchNorm1d(to))
        layers.append(nn.ReLU(inplace=True))
    layers.append(nn.Linear(*last, bias=last_bias and not last_norm))
    if last_norm:
        final = nn.BatchNorm1d(last[1])
        nn.init.zeros_(final.bias)
        final.bias.requires_grad = False
        layers.append(final)
    return nn.Sequential(*layers)
