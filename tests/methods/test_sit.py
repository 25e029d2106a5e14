"""SiT against Sara-Ahmed/SiT@669ea71, its first version.

The numbers are what its own FullpiplineSiT (main.py) with its heads and loss gave on these tensors on current torch, with one
convolution as network, whose two further tokens were the mean of the patches'.
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.masked.sit import ALIEN, NOISE, SiT, damaged
from tests.methods.fixed import sine, wave

N, C, S, P, D = 4, 3, 8, 4, 6
LOSSES = [1.478771, 1.937128, 0.802961]
WEIGHTED = [1.649986, 1.562656, 1.422708]
NORMS = [0.463924, 0.153328, 0.025705, 0.926644, 0.423228]
SLOPES = [-1.912614, 0.084827, -2.835057]  # of the scales


class Patches(nn.Conv2d):
    """An encoder of one layer."""

    dim, patch = D, P

    def __init__(self):
        super().__init__(C, D, P, stride=P)

    def tokens(self, x, keep=None):
        return super().forward(x).flatten(2).transpose(1, 2)

    def forward(self, x):
        return self.tokens(x).mean(1)


def filled():
    """With the weights that the official code was given."""
    method = SiT(Patches(), dim=5, hidden=7)
    method.prepare(Facts("image", N, (C, S, S)))
    with torch.no_grad():
        heads = [method.turn, method.contrast, method.draw[:4]]
        given = [method.encoder.weight, method.encoder.bias, *(p for part in heads for p in part.parameters())]
        for i, p in enumerate(given):
            p.copy_(wave(*p.shape, turn=0.7 + 0.13 * i) * 0.5)
        i = len(given)
        pixels = wave(D, C, P, P, turn=0.7 + 0.13 * i) * 0.5  # there a transposed convolution
        method.draw[4].weight.copy_(pixels.flatten(1).T)
        method.draw[4].bias.copy_((wave(C, turn=0.7 + 0.13 * (i + 1)) * 0.5).repeat_interleave(P * P))
        method.scales.copy_(torch.tensor([0.8, 1.3, 0.6]))
    return method


def looks():
    seen = [sine(N, C, S, S, rate=0.3), sine(N, C, S, S, rate=0.47)]
    masks = [sine(N, 1, S, S, rate=1.3 + v) > 0.2 for v in range(2)]
    marred = [torch.where(mask, sine(N, C, S, S, rate=0.71 + v), x) for v, (x, mask) in enumerate(zip(seen, masks))]
    which = torch.tensor([0, 3, 1, 2, 2, 2, 0, 1])
    return torch.cat(seen), torch.cat(marred), torch.cat(masks), which


def test_losses_weights_and_gradients_are_the_official(monkeypatch):
    method = filled()
    assert [loss.item() for loss in method.losses(*looks())] == pytest.approx(LOSSES, abs=1e-5)
    seen, marred, masks, which = (both.chunk(2) for both in looks())
    monkeypatch.setattr("tacit.methods.masked.sit.turned", lambda view, by: view)
    monkeypatch.setattr("tacit.methods.masked.sit.damaged", lambda x, batch, name: (marred[int(name)], masks[int(name)]))
    batch = Batch(list(seen), torch.arange(N))
    monkeypatch.setattr(Batch, "uniform", lambda self, name, count: (which[int(name[-1])] / 4 + 0.1)[:, None])
    terms = method.step(batch)
    assert [term.item() for term in terms.values()] == pytest.approx(WEIGHTED, abs=1e-5)
    sum(terms.values()).backward()
    layers = (method.encoder, method.turn[2], method.contrast[4], method.draw[2], method.draw[4])
    assert [float(layer.weight.grad.norm()) for layer in layers] == pytest.approx(NORMS, rel=1e-3)
    assert method.scales.grad.tolist() == pytest.approx(SLOPES, abs=1e-4)


def test_damage_is_noise_or_pieces_of_another_picture_and_nothing_else_changes():
    n, side = 200, 16
    x = torch.arange(n).float().view(n, 1, 1, 1).expand(n, C, side, side) + 100  # each of one value
    found, mask = damaged(x, Batch([x], torch.arange(n), key=3), "0")
    assert torch.equal(torch.where(mask, x, found), x)
    share = mask.float().mean((1, 2, 3))
    alien = torch.stack([one[:, m[0]].frac().abs().max() == 0 for one, m in zip(found, mask)])
    assert 0.35 < float(alien.float().mean()) < 0.65
    assert bool((share[alien] >= ALIEN).all()) and float(share[alien].max()) < ALIEN + 0.1
    assert bool((share[~alien] >= NOISE[0]).all()) and float(share[~alien].max()) < NOISE[1] + 0.1
    lent = torch.stack([one[0][m[0]][0] for one, m in zip(found[alien], mask[alien])])
    assert len(lent.unique()) > 50  # of different pictures
    assert float(found[~alien][mask[~alien].expand(-1, C, -1, -1)].std()) == pytest.approx(1.0, abs=0.05)


def test_an_encoder_without_patches_is_refused():
    class NoPatch(nn.Module):
        dim = D

    with pytest.raises(TacitError, match=r"NoPatch does not say .* `patch`"):
        SiT(NoPatch())
    with pytest.raises(TacitError, match="temperature"):
        SiT(Patches(), temperature=0.0)
