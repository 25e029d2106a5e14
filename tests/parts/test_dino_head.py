"""The head against facebookresearch/dino@7c446df's DINOHead: the numbers are what it gave on these tensors."""

import pytest
import torch
from torch import nn

from tacit.parts.dino_head import DINOHead
from tests.methods.fixed import fill, matrix_gradients, wave

FOUND = {  # norm: an answer, the gradients of its input and of a direction, norms of the matrices' gradients
    False: (
        [0.3125563, 0.2199977, -0.1552074, -0.3175013, -0.1652611, 0.2137776, 0.3127466],
        [-0.0073773, -0.0147951, -0.0152546, -0.0085396, 0.0021918, 0.0118922],
        [0.4286771, -0.2481171, 0.6225115, -0.1814832, 0.1658595],
        [0.0798039, 0.1175343, 0.3017915, 2.0614467],
    ),
    True: (
        [0.3123913, 0.110038, -0.526601, 0.8078386, -0.7832938, 0.4913747, -0.088302],
        [0.0434659, 0.05833, 0.0457605, 0.0116692, -0.0279104, -0.0543632],
        [0.3434207, -0.1466767, 0.2814807, 0.1315949, 0.1723212],
        [0.2114996, 0.5217651, 0.5573589, 1.6853102],
    ),
}


def made(norm: bool = False) -> DINOHead:
    head = DINOHead(6, 8, 5, 7, norm)
    fill(head.parameters())
    return head


@pytest.mark.parametrize("norm", FOUND)
def test_answers_and_gradients_are_the_official(norm):
    answer, gradient, direction, norms = FOUND[norm]
    head, x = made(norm), wave(8, 6, turn=0.9).requires_grad_()
    y = head(x)
    (y * wave(8, 7, turn=0.37)).sum().backward()
    torch.testing.assert_close(y[2].detach(), torch.tensor(answer), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(x.grad[2], torch.tensor(gradient), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(head.directions.weight.grad[3], torch.tensor(direction), rtol=1e-4, atol=1e-5)
    assert matrix_gradients(head) == pytest.approx(norms, rel=1e-3)


def test_answers_are_cosines_whatever_the_lengths():
    head, x = made(), wave(8, 6, turn=0.9)
    expected = torch.nn.functional.cosine_similarity(head.layers(x)[:, None], head.directions.weight, dim=-1)
    torch.testing.assert_close(head(x), expected)
    with torch.no_grad():
        head.directions.weight.mul_(torch.arange(1.0, 8.0)[:, None])
    torch.testing.assert_close(head(x), expected)


def test_a_direction_is_only_turned():
    """The gradient has no part along the direction: its gain is held at 1, as the published one's is."""
    head = made()
    (head(wave(8, 6, turn=0.9)) * wave(8, 7, turn=0.37)).sum().backward()
    along = (head.directions.weight.grad * head.directions.weight).sum(1)
    torch.testing.assert_close(along, torch.zeros(7), rtol=0, atol=1e-6)


def test_the_gradient_is_that_of_differences():
    head = made().double()
    x = wave(3, 6, turn=0.9).double().requires_grad_()
    y = head(x)  # a float32 answer, as everywhere: so the differences are wide
    (found,) = torch.autograd.grad(y.sum(), x)
    step = 1e-2 * torch.eye(6, dtype=torch.float64)
    apart = torch.stack([(head(x + s) - head(x - s)).sum(1) / 2e-2 for s in step], 1)
    torch.testing.assert_close(found, apart.double(), rtol=2e-2, atol=1e-3)


def test_it_starts_as_published():
    torch.manual_seed(0)
    head = DINOHead(256, 300, 128, 40, norm=True)
    linears = [layer for layer in head.layers if isinstance(layer, nn.Linear)]
    assert [type(layer).__name__ for layer in head.layers] == ["Linear", "BatchNorm1d", "GELU"] * 2 + ["Linear"]
    for layer in linears:
        assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=0.02) and not layer.bias.any()
    assert [name for name, _ in head.named_parameters() if name.startswith("directions")] == ["directions.weight"]


def test_full_precision_within_autocast():
    head, z = made(), wave(8, 6, turn=0.9)
    with torch.autocast("cpu", torch.bfloat16):
        inner, y = head.layers(z), head(z)
    assert inner.dtype == torch.bfloat16 and y.dtype == torch.float32
    expected = torch.nn.functional.cosine_similarity(inner.float()[:, None], head.directions.weight, dim=-1)
    torch.testing.assert_close(y, expected)
