"""Noise that climbs: by value."""

import pytest
import torch
from torch.nn.functional import cosine_similarity, cross_entropy

from tacit.numerics import tiles
from tacit.objectives.text.ascent import ascended


@pytest.mark.parametrize("plain", [0, tiles.PLAIN])
def test_it_is_the_official_ascent(monkeypatch, plain):
    monkeypatch.setattr(tiles, "TILE", 3)
    monkeypatch.setattr("tacit.objectives.text.ascent.PLAIN", plain)
    torch.manual_seed(0)
    z1, z2, noise = torch.randn(4, 6), torch.randn(4, 6), torch.randn(8, 6)
    slow = noise.clone()
    for _ in range(4):
        slow = slow.detach().requires_grad_()
        fused = torch.cat([cosine_similarity(z1[:, None], z[None], dim=-1) for z in (z2, slow)], 1) / 0.05
        (gradient,) = torch.autograd.grad(cross_entropy(fused, torch.arange(4)), slow)
        slow = slow + (gradient / torch.norm(gradient, dim=-1, keepdim=True)).mul(1e-3)
    found = ascended(noise, z1, z2, 0.05, 4, 1e-3)
    torch.testing.assert_close(found, slow.detach(), rtol=1e-5, atol=1e-6)
    assert not found.requires_grad and (found - noise).norm(dim=1).max() <= 4.001e-3


def test_without_steps_or_noise_nothing_moves():
    z, noise = torch.randn(4, 6), torch.randn(8, 6)
    assert torch.equal(ascended(noise, z, z, 0.05, 0, 1.0), noise) and ascended(noise[:0], z, z, 0.05, 4, 1.0).shape == (0, 6)
