"""DCL against two re-implementations; the authors published no code.

The numbers are what lightly-ai/lightly@e8d317f (lightly/loss/dcl_loss.py) and
raminnakhli/Decoupled-Contrastive-Learning@0b9b76d (loss/dcl.py, called in both directions on normalised features, as its
training does) gave on these tensors, run unchanged on current torch. The second is twice as large, and lets gradient into
the weights.
"""

import math

import pytest
import torch

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.contrast.dcl import DCL
from tacit.objectives.dcl import dcl
from tests.methods.fixed import sine

LIGHTLY = {  # temperature, sigma: loss, norm of the gradient, its row 0 (first view) and its row 7 (second view, second sample)
    (0.1, math.inf): (
        5.75703763961792,
        3.8984954357147217,
        [0.26776555, -0.33968607, -0.19702613, 0.35476929, 0.31867087],
        [0.54259634, 0.88919002, 0.62074578, 0.28113562, 0.124258],
    ),
    (0.1, 0.5): (
        9.16864013671875,
        5.639227390289307,
        [0.26776555, -0.32194504, -0.18888873, 0.33931074, 0.30044895],
        [0.66890931, 1.23060691, 0.95767701, 0.43625799, 0.07354106],
    ),
    (0.1, 0.2): (
        10.809259414672852,
        6.576486110687256,
        [0.26776555, -0.61472285, -0.32318011, 0.5944218, 0.60116357],
        [0.78432417, 1.54256654, 1.26553822, 0.57799649, 0.02719994],
    ),
    (0.5, math.inf): (
        2.3192362785339355,
        0.7960711121559143,
        [0.02870377, -0.07142358, -0.04527068, 0.06875139, 0.09336888],
        [0.12054694, 0.20759042, 0.16475989, 0.07817854, 0.00511954],
    ),
    (0.5, 0.5): (
        3.001556873321533,
        1.1554330587387085,
        [0.02870377, -0.0678754, -0.04364319, 0.06565969, 0.08972451],
        [0.14580955, 0.27587378, 0.23214613, 0.10920302, -0.00502386],
    ),
    (0.5, 0.2): (
        3.329680919647217,
        1.3478766679763794,
        [0.02870377, -0.12643094, -0.07050147, 0.1166819, 0.14986745],
        [0.16889252, 0.33826572, 0.29371834, 0.13755073, -0.01429208],
    ),
}
RAMINNAKHLI = {  # temperature, sigma: loss, norm of the gradient
    (0.1, math.inf): (11.51407527923584, 7.796990394592285),
    (0.5, math.inf): (4.638472557067871, 1.5921422243118286),
    (0.1, 0.5): (18.3372802734375, 13.861006736755371),
    (0.5, 0.2): (6.659361839294434, 3.015836715698242),
}


def ours(temperature, sigma):
    first = sine(6, 5, rate=0.7).requires_grad_()
    second = (sine(6, 5, rate=0.7) * 0.5 + sine(6, 5, rate=1.3)).requires_grad_()
    loss = dcl(first, second, temperature, sigma)
    loss.backward()
    return loss.item(), torch.cat([first.grad, second.grad])


@pytest.mark.parametrize("numbers", LIGHTLY)
def test_loss_and_gradient_are_lightlys(numbers):
    loss, norm, row0, row7 = LIGHTLY[numbers]
    found, gradient = ours(*numbers)
    assert found == pytest.approx(loss, rel=1e-5)
    assert float(gradient.norm()) == pytest.approx(norm, rel=1e-4)
    torch.testing.assert_close(gradient[0], torch.tensor(row0), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(gradient[7], torch.tensor(row7), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("numbers", RAMINNAKHLI)
def test_loss_is_half_of_raminnakhlis_and_so_is_the_gradient_without_weights(numbers):
    loss, norm = RAMINNAKHLI[numbers]
    found, gradient = ours(*numbers)
    assert 2 * found == pytest.approx(loss, rel=1e-5)
    if numbers[1] == math.inf:
        assert 2 * float(gradient.norm()) == pytest.approx(norm, rel=1e-4)
    else:  # there the weights carry gradient
        assert 2 * float(gradient.norm()) < norm


class Width(torch.nn.Module):
    """An encoder of a width and nothing else."""

    dim = 5

    def forward(self, x):
        return x


def test_its_step_is_the_objective_on_projected_views():
    torch.manual_seed(0)
    method = DCL(Width(), dim=4, sigma=0.5)
    views = sine(6, 5, rate=0.7), sine(6, 5, rate=1.3)
    found = method.step(Batch(views, torch.arange(6)))
    assert found.item() == pytest.approx(dcl(*(method.projector(view) for view in views), 0.1, 0.5).item())


def test_the_weighted_recipe_changes_sigma_alone():
    assert DCL.recipes["weighted"].but(options={}) == DCL.recipes["small"]
    assert DCL.recipes["weighted"].options == {"sigma": 0.5}


@pytest.mark.parametrize("option", ["dim", "temperature", "sigma"])
def test_numbers_that_mean_nothing_are_refused(option):
    with pytest.raises(TacitError, match=f"{option} is 0; it must be above 0"):
        DCL(Width(), **{option: 0})
