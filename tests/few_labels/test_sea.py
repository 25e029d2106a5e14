"""SeA against the official code (idstcv/SeA@12b987c: main.py, classifier.py), run on these tensors without CUDA."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from tacit.few_labels.sea import Recipe, fit, one_epoch, projected, trained, unprojected

DIRECTIONS = [
    [0.42816, -0.086718, -0.651082, -0.148237, 0.602725],
    [0.421734, -0.074054, -0.653729, -0.152894, 0.604911],
    [0.0, 0.531655, -0.580999, -0.321979, 0.525464],
    [-0.165965, -0.537235, -0.377499, 0.59361, -0.434691],
]
WEIGHTS = {  # after an epoch of batches of 4, 4 and 2, by the margin
    0.0: [
        [0.661232, -0.866344, -1.271982, 0.673848, 0.146597],
        [-0.307426, -0.643627, 0.251023, 0.734287, -0.530215],
        [-0.643809, 1.310636, 0.869505, -1.310663, 0.09822],
    ],
    0.1: [
        [0.816607, -1.040763, -1.326866, 0.816703, 0.21425],
        [-0.406765, -0.688724, 0.092235, 0.679571, -0.575903],
        [-0.699844, 1.530152, 1.083176, -1.398803, 0.076257],
    ],
}


def grid(n: int, d: int, a: float) -> torch.Tensor:
    i = torch.arange(n * d, dtype=torch.float32).view(n, d)
    return torch.sin(a * i + 0.3 * i.square().remainder(7))


X, Y = normalize(grid(10, 5, 1.7), dim=1), torch.arange(10) % 3


def head() -> torch.Tensor:
    return 0.4 * grid(3, 5, 0.9)


def slopes(weight: torch.Tensor, x: torch.Tensor, y: torch.Tensor, scale: float = 0.1) -> torch.Tensor:
    """By autograd, of the loss that the official code pushes against."""
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(scale * cross_entropy(x @ weight.T / scale, y), x)
    return normalize(slope, dim=1)


def test_the_directions_are_the_official():
    found = projected(X[:4], slopes(head(), X[:4], Y[:4]))
    torch.testing.assert_close(found, torch.tensor(DIRECTIONS), atol=2e-5, rtol=0)


@pytest.mark.parametrize("margin", WEIGHTS)
def test_an_epoch_is_the_official(margin):
    """Later ones are not compared: where a sample is told surely the slope is rounding, which is then made of length one."""
    weight, velocity = head(), torch.zeros(3, 5)
    one_epoch(weight, velocity, X, Y, projected, Recipe(batch=4, margin=margin))
    torch.testing.assert_close(weight, torch.tensor(WEIGHTS[margin]), atol=2e-6, rtol=0)


def test_a_direction_is_made_of_the_others_of_the_batch():
    rows, uphill = normalize(torch.randn(6, 4), dim=1), normalize(torch.randn(6, 4), dim=1)
    found = projected(rows, uphill, sharpness=0.1)
    for i in range(6):
        others = [j for j in range(6) if j != i]
        weights = torch.tensor([float(uphill[i] @ rows[j]) / 0.1 for j in others]).softmax(0)
        expected = normalize(sum(w * rows[j] for w, j in zip(weights, others)), dim=0)
        torch.testing.assert_close(found[i], expected, atol=1e-5, rtol=0)
    assert torch.equal(unprojected(rows, uphill), uphill)


def test_a_batch_of_one_teaches_nothing():
    weight, velocity = head(), torch.zeros(3, 5)
    one_epoch(weight, velocity, X[:1], Y[:1], projected, Recipe())
    assert torch.equal(weight, head())


def test_without_a_push_it_is_gradient_descent():
    """Against torch's optimiser."""
    layer = torch.nn.Linear(5, 3, bias=False)
    layer.weight.data = head()
    optimizer = torch.optim.SGD(layer.parameters(), 1.6, momentum=0.9, weight_decay=1e-6)
    weight, velocity = head(), torch.zeros(3, 5)
    for _ in range(3):
        optimizer.zero_grad()
        (0.1 * cross_entropy(layer(X) / 0.1, Y)).backward()
        optimizer.step()
        one_epoch(weight, velocity, X, Y, projected, Recipe(eta=0.0))
    torch.testing.assert_close(weight, layer.weight.data, atol=1e-5, rtol=1e-5)


def test_it_tells_classes_apart_and_is_the_same_again():
    torch.manual_seed(0)
    y = torch.arange(90) % 3
    x = 6 * torch.eye(8)[y] + torch.randn(90, 8)
    first, second = fit(x[:60], y[:60], seed=1), fit(x[:60], y[:60], seed=1)
    assert torch.equal(first.weight, second.weight)
    assert float((first(x[60:]).argmax(1) == y[60:]).float().mean()) > 0.9
    other = trained(x[:60], y[:60], projected, Recipe(epochs=1), seed=2)
    assert not np.allclose(other.weight, first.weight)
