"""Layers, their order, and which of them have biases."""

import torch
from torch import nn

from tacit.parts.mlp import mlp


def kinds(module):
    return [type(layer).__name__ for layer in module]


def test_layers_and_widths():
    found = mlp(5, 7, 6, 3)
    assert kinds(found) == ["Linear", "BatchNorm1d", "ReLU", "Linear", "BatchNorm1d", "ReLU", "Linear"]
    assert [(layer.in_features, layer.out_features) for layer in found if isinstance(layer, nn.Linear)] == [
        (5, 7),
        (7, 6),
        (6, 3),
    ]
    assert found(torch.ones(4, 5)).shape == (4, 3)


def test_biases_stand_where_no_norm_undoes_them():
    def biases(module):
        return [layer.bias is not None for layer in module if isinstance(layer, nn.Linear)]

    assert biases(mlp(5, 7, 3)) == [False, True]
    assert biases(mlp(5, 7, 3, norm=False)) == [True, True]
    assert biases(mlp(5, 7, 3, last_bias=False)) == [False, False]
    assert biases(mlp(5, 7, 3, last_norm=True)) == [False, False]
    assert biases(mlp(5, 3)) == [True]


def test_without_norm_there_is_none():
    assert kinds(mlp(5, 7, 3, norm=False)) == ["Linear", "ReLU", "Linear"]


def test_the_last_norm_scales_and_does_not_shift():
    found = mlp(5, 7, 3, last_norm=True)
    assert kinds(found)[-1] == "BatchNorm1d"
    assert found[-1].weight.requires_grad and not found[-1].bias.requires_grad
    torch.manual_seed(0)
    out = found(torch.randn(64, 5))
    torch.testing.assert_close(out.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.var(0, correction=0), torch.ones(3), atol=1e-3, rtol=0)


def test_it_computes_what_it_says():
    torch.manual_seed(0)
    found, x = mlp(4, 6, 2), torch.randn(9, 4)
    hidden = x @ found[0].weight.T
    hidden = (hidden - hidden.mean(0)) / (hidden.var(0, correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(found(x), hidden.clamp(min=0) @ found[3].weight.T + found[3].bias)
