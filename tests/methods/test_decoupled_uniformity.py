"""Decoupled uniformity against Duplums/contrastive-decoupled-uniformity@268aa67.

OFFICIAL is what its own `DecoupledUniformityLoss` (src/decoupled_uniformity.py) gave on these tensors on current torch,
without a kernel and with its Gaussian one of σ = 0.6 on a prior; src/util.py imports torch.functional, which lacks
`normalize`, as func, and was given torch.nn.functional.
"""

import math

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.contrast.decoupled_uniformity import Autoencoder, ByKernel, DecoupledUniformity
from tests.methods.fixed import D, Identity, N, wave

OFFICIAL = {  # loss, norm of the gradient, that of the second view of sample 2
    "alone": (-2.52895, 0.50814, [0.010761, -0.004713, -0.000194, -0.008954, -0.023903, -0.003997]),
    "kernel": (-2.242326, 0.419532, [0.012602, -0.004187, -0.000898, -0.008609, -0.023706, -0.005599]),
}


def made(which):
    """The method with views as projections."""
    if which == "alone":
        method = DecoupledUniformity(Identity())
    else:
        prior = wave(N, 3, turn=0.5)
        method = ByKernel(Identity(), prior=prior, sigma=0.6 / float((2 * prior.var(0).sum()).sqrt()))
    method.projector = nn.Identity()
    return method


@pytest.mark.parametrize("which", OFFICIAL)
def test_loss_and_gradient_are_the_official(which):
    first = wave(N, D, turn=0.9).requires_grad_()
    second = (wave(N, D, turn=0.9) * 0.5 + wave(N, D, turn=1.7)).requires_grad_()
    found = made(which).step(Batch([first, second], torch.arange(N)))
    found.backward()
    loss, norm, row = OFFICIAL[which]
    assert found.item() == pytest.approx(loss, abs=2e-5)
    assert float(torch.cat([first.grad, second.grad]).norm()) == pytest.approx(norm, rel=1e-3)
    torch.testing.assert_close(second.grad[2], torch.tensor(row), rtol=2e-3, atol=1e-5)


def test_the_story_with_a_prior_has_a_fresh_encoder_and_its_codes():
    story = DecoupledUniformity.stages(prior_epochs=3, sigma=0.4, dim=7)
    first = next(story)
    assert first.method is Autoencoder and first.recipe.epochs == 3

    class Trained:
        @staticmethod
        def embed():
            return wave(N, 4, turn=0.3)

    second = story.send(Trained)
    assert second.method is ByKernel and second.encoder == "fresh" and second.options["dim"] == 7
    method = ByKernel(Identity(), **second.options)
    apart = torch.pdist(method.prior.rows).square().mean()
    assert float(apart) == pytest.approx(1, rel=1e-4)
    assert [stage.method for stage in DecoupledUniformity.stages(dim=7)] == [DecoupledUniformity]


def test_the_autoencoders_terms():
    """Its divergence is that of a Gaussian from the standard one, in closed form: KL of means 0.5 with variance 1 is d/8."""
    method = Autoencoder(Identity())
    method.prepare(Facts("vector", N, (D,)))
    nn.init.zeros_(method.spread.weight), nn.init.zeros_(method.spread.bias)
    terms = method.step(Batch([torch.full((N, D), 0.5)], torch.arange(N)))
    value, weight = terms["code"]
    assert value.item() == pytest.approx(D / 8) and weight == pytest.approx(1 / D)
    nn.init.constant_(method.spread.bias, math.log(4.0))  # variance 4
    value, _ = method.step(Batch([torch.zeros(N, D)], torch.arange(N)))["code"]
    assert value.item() == pytest.approx(D * (4 - math.log(4) - 1) / 2)


def test_numbers_that_mean_nothing_are_refused():
    with pytest.raises(TacitError, match="t is 0; it must be above 0"):
        DecoupledUniformity(Identity(), t=0)
    with pytest.raises(TacitError, match="sigma is -1"):
        next(DecoupledUniformity.stages(sigma=-1))
