"""IsoAlign: its terms by hand, what stands still at the end, what is exported."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.positives.isoalign import IsoAlign
from tacit.objectives.nt_xent import nt_xent

FACTS = Facts("series", 40, (2, 16))


class Flat(nn.Module):
    """An encoder with one layer."""

    dim = 8

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(32, 8)

    def forward(self, x):
        return self.layer(x.flatten(1))


def method(**options):
    torch.manual_seed(0)
    made = IsoAlign(Flat(), **{"dim": 6, "scales": 4, **options})
    made.prepare(FACTS)
    return made


def batch():
    return Batch([torch.randn(5, 2, 16, generator=torch.Generator().manual_seed(1))], torch.arange(5))


def test_a_step_written_out():
    one, given = method(), batch()
    x = given.views[0]
    features = [one.encoder(x), one.sines(x), one.wavelets(x)]
    z, f, w = (projector(h) for projector, h in zip(one.projectors, features))
    terms = one.step(given)
    torch.testing.assert_close(terms["fourier"][0], nt_xent(z, f, 0.15))
    torch.testing.assert_close(terms["wavelet"][0], nt_xent(z, w, 0.15))
    torch.testing.assert_close(terms["between"][0], nt_xent(f, w, 0.15))
    near = (one.latent_maps[1](F.normalize(z)) - F.normalize(w)).abs().mean() / 5
    torch.testing.assert_close(terms["wavelet_latents"][0], near)
    torch.testing.assert_close(terms["fourier_features"], (one.feature_maps[0](features[0]) - features[1]).abs().mean())


def test_the_error_of_feature_maps_reaches_no_encoder():
    one = method()
    terms = one.step(batch())
    (terms["fourier_features"] + terms["wavelet_features"]).backward()
    named = {name for name, p in one.named_parameters() if p.grad is not None}
    assert named and all(name.startswith("feature_maps") for name in named)


def test_at_the_end_the_encoders_stand_still():
    one = method(settling=0.25)
    one.progress = 0.74
    assert "between" in one.step(batch())
    one.progress = 0.75
    assert set(one.step(batch())) == {"fourier_features", "wavelet_features"}


def test_what_is_exported_needs_the_series_encoder_alone():
    one, given = method(), batch()
    with torch.no_grad():
        z = one.represent(given)
        series = one.encoder(given.views[0])
    assert z.shape == (5, 24)
    torch.testing.assert_close(z[:, 8:16], series)
    torch.testing.assert_close(z[:, :8], one.feature_maps[0](series))
    assert method(fourier=0.0).represent(given).shape == (5, 16)


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="one above"):
        method(fourier=0.0, wavelet=0.0)
