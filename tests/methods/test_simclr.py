"""SimCLR against google-research/simclr@244e712.

The numbers are what its own objective.py, model_util.py (projection_head with two layers) gave on these tensors, run unchanged
on TensorFlow 2.21's v1 layer on a CPU. Its loss is the sum of two directions, ours the mean over all views: half as large.
"""

import pytest
import torch

from tacit.methods.contrast.simclr import SimCLR
from tacit.objectives.nt_xent import nt_xent
from tests.methods.fixed import sine

FIRST = {  # temperature: loss, norm of the gradient, its row 0 (first view) and its row 7 (second view, second sample)
    0.1: (
        11.733926773071289,
        7.5787034034729,
        [0.46538329124450684, -0.6642740368843079, -0.3763393759727478, 0.6809830665588379, 0.6297826170921326],
        [1.0324980020523071, 1.7492096424102783, 1.2316370010375977, 0.5503922700881958, 0.2442304790019989],
    ),
    0.5: (
        4.877544403076172,
        1.4763063192367554,
        [0.04290720820426941, -0.12622900307178497, -0.07804298400878906, 0.11976896226406097, 0.1637093722820282],
        [0.2185702621936798, 0.37911781668663025, 0.29871466755867004, 0.14073272049427032, 0.012864910066127777],
    ),
}
HEAD = [
    [0.1353766918182373, 0.5714986324310303, -0.28901374340057373],
    [-0.6283531785011292, -1.464903712272644, 1.0441948175430298],
    [0.8472991585731506, -0.037024326622486115, -0.904374361038208],
    [-1.2333394289016724, 0.4814181327819824, 1.2094157934188843],
    [1.656355619430542, -1.039113163948059, -1.525970697402954],
    [-0.7773389220237732, 1.4881243705749512, 0.46574822068214417],
]


class Width(torch.nn.Module):
    """An encoder of a width and nothing else."""

    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, x):
        return x


@pytest.mark.parametrize("temperature", FIRST)
def test_loss_and_gradient_are_half_of_the_official(temperature):
    loss, norm, row0, row7 = FIRST[temperature]
    first = sine(6, 5, rate=0.7).requires_grad_()
    second = (sine(6, 5, rate=0.7) * 0.5 + sine(6, 5, rate=1.3)).requires_grad_()
    ours = 2 * nt_xent(first, second, temperature)
    ours.backward()
    assert float(ours.detach()) == pytest.approx(loss, rel=1e-5)
    gradient = torch.cat([first.grad, second.grad])
    assert float(gradient.norm()) == pytest.approx(norm, rel=1e-4)
    torch.testing.assert_close(gradient[0], torch.tensor(row0), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(gradient[7], torch.tensor(row7), rtol=1e-3, atol=1e-4)


def test_the_projector_is_the_official_one():
    """Two layers, a norm after each, the last without a shift: the same learned tensors, the same output."""
    head = SimCLR(Width(5), dim=3).projector
    learned = {name: tuple(p.shape) for name, p in head.named_parameters() if p.requires_grad}
    assert sorted(learned.values()) == [(3,), (3, 5), (5,), (5,), (5, 5)]  # kernels, two scales, one shift
    with torch.no_grad():
        head[0].weight.copy_(sine(5, 5, rate=0.9).T)
        head[3].weight.copy_(sine(5, 3, rate=1.7).T)
    torch.testing.assert_close(head(sine(6, 5, rate=0.7)), torch.tensor(HEAD), rtol=1e-3, atol=1e-3)
