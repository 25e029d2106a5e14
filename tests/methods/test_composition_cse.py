"""CompositionCSE against what cl_forward of perceptiveshawty/CompCSE@7a8cb90 does, written out."""

import pytest
import torch
from torch.nn.functional import cosine_similarity, cross_entropy

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.positives.composition_cse import CompositionCSE
from tacit.parts.sequences.phrases import phrases
from tests.methods.fixed import sine

TABLE = sine(12, 6, rate=0.7)


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


@pytest.mark.parametrize("concatenate", [False, True])
def test_composition_head_loss_and_gradient_are_the_official(concatenate):
    method = CompositionCSE(Summed(), temperature=0.2, dims=4, concatenate=concatenate)
    with torch.no_grad():
        method.projector[0].weight.copy_(sine(6, 6, rate=1.1))
    ours = method.step(batch())
    ours.backward()
    gradient = method.encoder.table.grad.clone()
    method.zero_grad()

    one = batch()
    r1, (left, right) = (
        method.encoder(one.views[0]),
        phrases(one.views[0], one.params[0]["starts"], one.uniform("cut", 1)[:, 0]),
    )
    a, b = method.encoder(left)[:, None], method.encoder(right)[:, None]
    r2 = torch.cat([a[:, :, :3], b[:, :, 3:]], dim=-1) if concatenate else 0.5 * (a + b)
    output = torch.tanh(method.projector[0](torch.cat([r1[:, None], r2], dim=1)))
    z1, z2 = output[:, 0, :4], output[:, 1, :4]
    loss = cross_entropy(cosine_similarity(z1.unsqueeze(1), z2.unsqueeze(0), dim=-1) / 0.2, torch.arange(4))
    loss.backward()
    torch.testing.assert_close(ours, loss)
    torch.testing.assert_close(gradient, method.encoder.table.grad, rtol=1e-4, atol=1e-6)


def test_the_head_is_for_training_alone():
    method = CompositionCSE(Summed())
    x = batch().views[0]
    assert torch.equal(method.represent(Batch([x], torch.arange(4))), method.encoder(x))


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="dims"):
        CompositionCSE(Summed(), dims=0)
