"""CVRL by hand: the loss that two directions of SimCLR's sum to, both clips through the network together."""

import math

import pytest
import torch
from torch import nn

from tacit.method import Batch
from tacit.methods.positives.cvrl import CVRL
from tests.methods.fixed import wave


class Flat(nn.Module):
    """A linear look at a clip."""

    dim = 6

    def __init__(self):
        super().__init__()
        self.layer, self.seen = nn.Linear(8, 6), []

    def forward(self, x):
        self.seen.append(len(x))
        return self.layer(x.flatten(1))


def test_a_step_written_out():
    torch.manual_seed(0)
    method, clips = CVRL(Flat(), hidden=5, dim=4, temperature=0.2), wave(3, 2, 2, 2, 1, 2, turn=0.7)
    loss = method.step(Batch([clips], torch.arange(3)))
    assert method.encoder.seen == [6]  # norms see both clips of all videos at once
    z = method.head(method.encoder(torch.cat([clips[:, 0], clips[:, 1]])))
    z = (z / z.norm(dim=1, keepdim=True)).detach()
    expected = 0.0
    for i in range(6):
        scores = [float(z[i] @ z[j]) / 0.2 for j in range(6) if j != i]
        own = float(z[i] @ z[(i + 3) % 6]) / 0.2
        expected -= (own - math.log(sum(map(math.exp, scores)))) / 3  # a mean over the videos for each direction
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in method.parameters())


def test_the_head_has_three_hidden_layers():
    layers = [m for m in CVRL(Flat()).head if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in layers] == [(6, 2048), (2048, 2048), (2048, 2048), (2048, 128)]
