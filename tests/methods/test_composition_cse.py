"""CompositionCSE against perceptiveshawty/CompCSE@7a8cb90.

The numbers are what its own cl_forward, Composer, MLPLayer and Similarity gave for these embeddings of texts and phrases.
"""

import pytest
import torch

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.positives.composition_cse import CompositionCSE
from tests.methods.fixed import sine

TABLE = sine(12, 6, rate=0.7)
OFFICIAL = {  # concatenate: loss, norm of the table's gradient, its row 3
    False: (
        1.9686460494995117,
        3.126542568206787,
        [0.07313962280750275, 0.01278872974216938, -0.06153777986764908, -0.06861533969640732, -0.0007095103501342237,
         0.06797166913747787],
    ),
    True: (
        2.3878886699676514,
        7.047926425933838,
        [0.0014295275323092937, -0.011629525572061539, -0.011979743838310242, -2.3938730009831488e-05,
         -1.9405430066399276e-05, 6.3342727116832975e-06],
    ),
}  # fmt: skip


class Summed(torch.nn.Module):
    """An encoder that adds up rows of a table, weighed by their places."""

    dim = 6

    def __init__(self):
        super().__init__()
        self.table = torch.nn.Parameter(TABLE.clone())

    def forward(self, x):
        return (self.table[x] * (x > 0)[..., None] * torch.arange(1, x.shape[1] + 1)[:, None]).sum(1)


def batch():
    tokens = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 0], [8, 9, 0, 0], [10, 11, 1, 2]])
    return Batch([tokens], torch.arange(4), params=[{"starts": tokens > 0}], key=3)


@pytest.mark.parametrize("concatenate", OFFICIAL)
def test_composition_head_loss_and_gradient_are_the_official(concatenate):
    loss, norm, row = OFFICIAL[concatenate]
    method = CompositionCSE(Summed(), temperature=0.2, dims=4, concatenate=concatenate)
    with torch.no_grad():
        method.projector[0].weight.copy_(sine(6, 6, rate=1.1))
        method.projector[0].bias.copy_(sine(1, 6, rate=0.3)[0])
    ours = method.step(batch())
    ours.backward()
    gradient = method.encoder.table.grad
    assert float(ours.detach()) == pytest.approx(loss, rel=1e-5)
    assert float(gradient.norm()) == pytest.approx(norm, rel=1e-4)
    torch.testing.assert_close(gradient[3], torch.tensor(row), rtol=1e-3, atol=1e-6)


def test_the_head_is_for_training_alone():
    method = CompositionCSE(Summed())
    x = batch().views[0]
    assert torch.equal(method.represent(Batch([x], torch.arange(4))), method.encoder(x))


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="dims"):
        CompositionCSE(Summed(), dims=0)
