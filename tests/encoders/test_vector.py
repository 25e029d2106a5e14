"""The vector encoder."""

import pytest
import torch
import torch.nn.functional as F

from tacit.encoders.vector import MLPEncoder
from tacit.errors import TacitError
from tacit.method import Facts


def test_layers_by_hand():
    torch.manual_seed(0)
    encoder, x = MLPEncoder(Facts("vector", 9, (7,)), width=5, depth=1), torch.randn(6, 7)
    first, last = (layer for layer in encoder.layers if isinstance(layer, torch.nn.Linear))
    hidden = F.relu(F.batch_norm(x @ first.weight.T, None, None, training=True))
    torch.testing.assert_close(encoder(x), hidden @ last.weight.T + last.bias)
    assert encoder.dim == 5


def test_gradient_reaches_every_parameter_and_evaluation_changes_nothing():
    torch.manual_seed(0)
    encoder, x = MLPEncoder(Facts("vector", 9, (7,))), torch.randn(6, 7)
    (encoder(x) * torch.randn(6, encoder.dim)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in encoder.parameters())
    encoder.eval()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    assert torch.equal(encoder(x), encoder(x))
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_without_hidden_layers_it_is_linear():
    encoder = MLPEncoder(Facts("vector", 9, (7,)), depth=0)
    a, b, zero = torch.randn(1, 7), torch.randn(1, 7), torch.zeros(1, 7)
    torch.testing.assert_close(encoder(a + b) + encoder(zero), encoder(a) + encoder(b))


@pytest.mark.parametrize(("shape", "options"), [((3, 8, 8), {}), ((), {}), ((7,), {"width": 0}), ((7,), {"depth": -1})])
def test_mistakes_are_named(shape, options):
    with pytest.raises(TacitError):
        MLPEncoder(Facts("vector", 9, shape), **options)
