"""BSS: what is lent and what stays, by a naive pass over the spectrum, and the method within."""

import math

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.contrast.simclr import SimCLR
from tacit.methods.negatives.bss import BSS, restyled
from tests.methods.fixed import Identity, sine, wave


class Flat(nn.Module):
    """An encoder that says the mean of each channel, and the first pixels."""

    dim = 6

    def forward(self, x):
        return torch.cat([x.mean((2, 3)), x[:, :, 0, 0]], 1)


def naive(x, lender, share):
    """Frequency by frequency, in complex numbers."""
    n, c, h, w = x.shape
    spectrum = torch.fft.fft2(x.double())
    lent = spectrum[lender].abs().clone()
    for i in range(n):
        for row in range(h):
            for column in range(w):
                far = max(min(row, h - row) / h, min(column, w - column) / w)
                if far <= math.sqrt(share) / 2:
                    for channel in range(c):
                        phase = torch.angle(spectrum[i, channel, row, column])
                        spectrum[i, channel, row, column] = torch.polar(lent[channel, row, column], phase)
    return torch.fft.ifft2(spectrum).real


@pytest.mark.parametrize("share", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("shape", [(3, 2, 6, 6), (4, 1, 5, 5)])
def test_low_frequencies_are_lent_and_phases_stay(shape, share):
    torch.manual_seed(0)
    x = torch.randn(shape)
    draws = torch.tensor([0.2, 0.9, 0.5, 0.1])[: len(x)]
    found = restyled(x, draws, torch.tensor(share))
    torch.testing.assert_close(found.double(), naive(x, 1, share), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(found[1], x[1], rtol=1e-4, atol=1e-4)  # the lender keeps its own


def test_with_the_least_window_only_the_means_are_lent():
    """But for their sign, which is the phase at frequency 0."""
    x = sine(4, 3, 8, 8, rate=0.37) + 1
    found = restyled(x, torch.tensor([0.1, 0.2, 0.9, 0.3]), torch.tensor(1e-6))
    torch.testing.assert_close(found.mean((2, 3)), x[2].mean((1, 2)).expand(4, 3), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(found - found.mean((2, 3), keepdim=True), x - x.mean((2, 3), keepdim=True), rtol=1e-3, atol=1e-4)


def test_the_step_is_the_inner_methods_on_restyled_views():
    torch.manual_seed(1)
    encoder = Flat()
    method = BSS(encoder, inner=SimCLR(encoder, dim=4), window=(0.1, 0.3))
    views = [sine(5, 3, 8, 8, rate=rate) for rate in (0.37, 0.51)]
    looks = Batch(list(views), torch.arange(5), key=3)
    found = method.step(looks)
    styled = []
    for number, view in enumerate(views):
        draws = looks.uniform(f"style {number}", 2)
        styled.append(restyled(view, draws[:, 0], 0.1 + 0.2 * draws[draws[:, 0].argmax(), 1]))
    torch.testing.assert_close(found, method.inner.step(Batch(styled, torch.arange(5))))
    assert not torch.allclose(styled[0], views[0]) and not torch.allclose(styled[0].mean((2, 3)), styled[1].mean((2, 3)))
    assert torch.equal(method.represent(Batch(views, torch.arange(5))), encoder(views[0]))


def test_what_is_no_picture_is_refused():
    method = BSS(Identity(), inner=SimCLR(Identity(), dim=4))
    with pytest.raises(TacitError, match="where pictures were expected"):
        method.step(Batch([wave(8, 6, turn=0.9)] * 2, torch.arange(8)))
    with pytest.raises(TacitError, match="window is"):
        BSS(Identity(), inner=SimCLR(Identity(), dim=4), window=(0.5, 0.1))
