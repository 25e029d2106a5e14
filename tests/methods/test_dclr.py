"""DCLR against the paper's loss with the weights and the noise of cl_vat_forward, RUCAIBox/DCLR@e2c3430, written out."""

import pytest
import torch
from torch.nn.functional import cosine_similarity

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.negatives.dclr import DCLR, Complement
from tacit.objectives.text.ascent import ascended
from tests.methods.fixed import sine


class Linear(torch.nn.Module):
    dim = 5

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(sine(5, 5, rate=0.4))

    def forward(self, x):
        return x @ self.weight


def looks():
    return [sine(6, 5, rate=0.7), sine(6, 5, rate=0.7) * 0.5 + sine(6, 5, rate=1.3)]


def sim(a, b):
    return cosine_similarity(a[:, None], b[None], dim=-1)


@pytest.mark.parametrize("threshold", [0.9, 0.3])
@pytest.mark.parametrize("noises", [0, 2])
def test_the_loss_is_the_papers(threshold, noises):
    method = DCLR(Linear(), temperature=0.1, threshold=threshold, noises=noises, stride=0.01)
    batch = Batch(looks(), torch.arange(6), key=4)
    ours = method.step(batch)
    with torch.no_grad():
        z1, z2 = (method.projector(method.encoder(view)) for view in batch)
        weights = sim(*(method.encoder(view) for view in batch)) <= threshold  # the frozen one is still the same
        noise = ascended(batch.normal("noise", noises, 5).flatten(0, 1), z1, z2, 0.1, 4, 0.01)
        likeness, against = (sim(z1, z2) / 0.1).exp(), (sim(z1, noise) / 0.1).exp().sum(1)
        assert threshold > 0.5 or (~weights).sum() > 6  # some are left out
        weights = weights.float().fill_diagonal_(1)
        loss = -(likeness.diag() / ((likeness * weights).sum(1) + against)).log().mean()
    torch.testing.assert_close(ours.detach(), loss)


def test_the_frozen_encoder_stays_as_the_warm_up_left_it():
    encoder = Linear()
    method = DCLR(encoder)
    method.step(Batch(looks(), torch.arange(6), key=4)).backward()
    assert encoder.weight.grad is not None
    assert all(not p.requires_grad and p.grad is None for p in method.complement.parameters())
    first, second = DCLR.stages(warm_up=2, threshold=0.8)
    assert (first.method, first.recipe.epochs, second.method, second.options) == (Complement, 2, DCLR, {"threshold": 0.8})
    assert [stage.method for stage in DCLR.stages(warm_up=0)] == [DCLR]


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="0 or more"):
        DCLR(Linear(), noises=-1)
