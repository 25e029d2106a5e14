"""CPC: which moments predict which, and what they are told from."""

import numpy as np
import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.predictive.cpc import CPC
from tacit.objectives.sequences.latent_prediction import latent_prediction


class Latents(nn.Module):
    """An encoder whose latents are what it is given."""

    dim = 4

    def sequence(self, x):
        return x.transpose(1, 2)

    def forward(self, x):
        return x.mean(2)


def batch(n=6, length=7):
    x = torch.randn(n, 4, length, generator=torch.Generator().manual_seed(0))
    return Batch([x], torch.arange(n), key=3, positions=np.arange(n))


def method(**options):
    torch.manual_seed(0)
    return CPC(Latents(), **{"ahead": 2, "negatives": 5, **options})


def test_a_step_written_out():
    one, given = method(), batch()
    latents = given.views[0].transpose(1, 2)
    context, _ = one.recurrent(latents)
    weights = one.predictors.weight.view(2, 4, 4)
    predictions = torch.einsum("kde,nte->ntkd", weights, context[:, :5])
    draws = given.uniform("negatives", 5, 5, 2)
    others = torch.empty(6, 5, 5, 4)
    for i in range(6):
        for t in range(5):
            for j in range(5):
                whose, later = int(draws[i, t, j, 0] * 6), int(draws[i, t, j, 1] * 6)
                others[i, t, j] = latents[whose, (t + 1 + later) % 7]
    wanted = latent_prediction(predictions, latents, others).sum()
    torch.testing.assert_close(one.step(given), wanted)


def test_no_negative_is_of_the_moment_itself():
    x = torch.arange(7.0).expand(6, 4, 7).contiguous()  # latents tell their moment
    _, _, others = method(negatives=50).told(Batch([x], torch.arange(6), positions=np.arange(6)))
    assert (others[..., 0] != torch.arange(5.0)[None, :, None]).all() and len(others[..., 0].unique()) == 7


def test_what_comes_later_changes_no_prediction():
    one, given = method().eval(), batch()
    later = Batch([given.views[0].clone()], given.index, positions=given.positions)
    later.views[0][:, :, 3:] += 5
    before, after = (one.told(b)[0] for b in (given, later))
    torch.testing.assert_close(before[:, :3], after[:, :3])
    assert (before[:, 3:] - after[:, 3:]).abs().max() > 1e-3


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="7 latents and the next 9"):
        method(ahead=9).step(batch())
    with pytest.raises(TacitError, match="memory"):
        method(memory=-1)
