"""The encoders of time series: any length in, one vector each out, and what was not measured tells nothing."""

import pytest
import torch

from tacit.encoders.series import ConvGRU, DilatedTCN, PatchTransformer, StridedConv
from tacit.errors import TacitError
from tacit.method import Facts
from tacit.parts.sequences.stretches import stretches

FACTS = Facts("series", 100, (2, 64))
GAPS = Facts("series", 100, (3, 64), {"gaps": True})
ALL = [DilatedTCN, PatchTransformer, StridedConv, ConvGRU]


def waves(n=4, channels=2, t=64):
    return torch.randn(n, channels, t, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("t", [64, 32, 3])
def test_one_vector_each_for_any_length(cls, t):
    encoder = cls(FACTS).eval()
    assert encoder(waves(t=t)).shape == (4, encoder.dim)


@pytest.mark.parametrize("cls", ALL)
def test_a_series_does_not_depend_on_its_batch(cls):
    encoder = cls(FACTS).train()
    torch.testing.assert_close(encoder(waves())[:2], encoder(waves()[:2]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("cls", ALL)
def test_gradient_reaches_every_parameter(cls):
    torch.manual_seed(0)
    encoder = cls(GAPS)
    x = waves(channels=3)
    x[:, 2] = 1
    (encoder(x) * torch.randn(4, encoder.dim)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in encoder.parameters())


@pytest.mark.parametrize("cls", ALL)
def test_nothing_measured_gives_finite_numbers(cls):
    assert cls(GAPS)(torch.zeros(2, 3, 64)).isfinite().all()


def test_the_mean_over_time_leaves_out_what_was_not_measured():
    x = waves(channels=3)
    x[:, 2] = (torch.arange(64) < 40).float()
    x[:, :2, 40:] = 0
    encoder = DilatedTCN(GAPS, depth=1).eval()
    assert torch.equal(encoder(x)[:, :64], encoder(x)[:, :64])
    short = encoder(x[:, :, :44])  # a reach of 2 beyond the end
    torch.testing.assert_close(encoder(x), short, atol=1e-5, rtol=1e-4)


def test_latents_are_local_and_in_order():
    """A latent sees its own stretch: what comes later than that changes nothing before."""
    encoder = StridedConv(FACTS).eval()
    x, later = waves(), waves()
    later[:, :, 40:] += 1
    before, after = encoder.sequence(x), encoder.sequence(later)
    assert before.shape == (4, 16, 64)
    changed = (before - after).abs().amax((0, 2)) > 1e-6
    assert not changed[:9].any() and changed[10:].all()


def test_only_kept_patches_enter_the_transformer():
    encoder, x = PatchTransformer(FACTS, patch=8).eval(), waves()
    keep = torch.tensor([[1, 4, 6]]).expand(4, 3)
    kept = encoder.tokens(x, keep)
    other = x.clone()
    other[:, :, :8] += 5
    assert kept.shape == (4, 3, 96)
    torch.testing.assert_close(encoder.tokens(other, keep), kept)


def test_pieces_are_stretches_of_all_channels():
    x = waves(t=10)
    cut = stretches(x, 4)
    assert cut.shape == (4, 3, 8)
    torch.testing.assert_close(cut[:, 1], x[:, :, 4:8].flatten(1))
    assert not cut[:, 2].unflatten(1, (2, 4))[:, :, 2:].any()


@pytest.mark.parametrize(
    ("cls", "facts", "options"),
    [
        (DilatedTCN, Facts("image", 9, (3, 8, 8)), {}),
        (DilatedTCN, FACTS, {"depth": 0}),
        (PatchTransformer, FACTS, {"width": 50}),
        (PatchTransformer, FACTS, {"patch": 7}),
        (ConvGRU, FACTS, {"hop": 9}),
    ],
)
def test_mistakes_are_named(cls, facts, options):
    with pytest.raises(TacitError):
        cls(facts, **options)
