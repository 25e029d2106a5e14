"""SSAST against YuanGongND/ssast@a1a3eec, and: hidden patches never enter the transformer, and are what is told and drawn.

The numbers are what the mpc and mpg of its own ASTModel gave for these spectrograms, with given masks, and with one mixing of
all patches in place of its layers.
"""

import numpy as np
import pytest
import torch

from tacit.data.sounds.generated import diphthongs
from tacit.encoders.audio import SpectrogramTransformer
from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.masked import ssast
from tacit.methods.masked.ssast import SSAST
from tacit.parts.audio.clusters import clustered
from tacit.views import Program
from tacit.views.audio import AudioViews
from tests.methods.fixed import wave

SOUNDS = diphthongs(5)
FACTS = SOUNDS.facts() | SOUNDS.statistics()
VIEWS = AudioViews.fit(FACTS, seconds=0.24)

LOSSES = {"told": 1.095942497253418, "drawn": 0.13005000352859497}
GRADIENTS = [
    0.0043144323863089085,
    0.0009410597267560661,
    0.0020703314803540707,
    0.05225048586726189,
    0.006879420485347509,
    0.43490439653396606,
    1.431149172503865e-07,
    0.040426354855298996,
    0.012024802155792713,
    0.026975248008966446,
    0.1103544607758522,
]


def made(**options):
    torch.manual_seed(0)
    return SSAST(SpectrogramTransformer(Facts("audio", 5, VIEWS.shape, FACTS), width=12, depth=1, heads=2), **options)


def batch():
    index = np.arange(5)
    views, params = Program(SSAST.views, VIEWS)(SOUNDS.read(index)[0], index, 3)
    return Batch(views, torch.from_numpy(index), params=params, key=7)


class Patches(torch.nn.Module):
    """Spectrograms of 32 × 64 in patches of 16 × 16, and one mixing of all for a transformer."""

    dim, area, rows = 6, 256, 2

    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Linear(256, 6)

    def patches(self, x):
        return torch.nn.functional.unfold(x, 16, stride=16).transpose(1, 2)

    def positions(self, count):
        return wave(1, count, 6, turn=0.45)

    def attended(self, tokens):
        return 2 * torch.tanh(tokens + tokens.mean(1, keepdim=True))


def test_losses_and_gradients_are_the_official(monkeypatch):
    method = SSAST(Patches())
    weights = [*method.encoder.parameters(), method.stand_in, *method.tell.parameters(), *method.draw.parameters()]
    with torch.no_grad():
        for i, p in enumerate(weights):
            p.copy_(wave(*p.shape, turn=0.7 + 0.13 * i) * 0.1)
        method.encoder.embed.weight.div_(2)  # there the spectrogram itself is divided by 2 deviations
        method.stand_in.copy_(wave(1, 1, 6, turn=0.8))
    masks = {"told": [[1, 2, 5], [0, 3, 7]], "drawn": [[0, 4, 6], [2, 5, 6]]}
    given = Batch([wave(2, 1, 32, 64, turn=0.37)], torch.arange(2))
    places = iter(masks.values())
    monkeypatch.setattr(ssast, "clustered", lambda *_: torch.tensor(next(places)))
    losses = method.step(given)
    assert {name: float(loss.detach()) for name, (loss, _) in losses.items()} == pytest.approx(LOSSES, rel=1e-5)
    sum(loss * weight for loss, weight in losses.values()).backward()
    found = [float(p.grad.norm()) for p in weights]
    assert [found[0] / 2, *found[1:]] == pytest.approx(GRADIENTS, rel=1e-3, abs=1e-6)


def test_the_step_by_a_loop():
    method, given = made(hidden_share=0.5, cluster=(2, 3)).eval(), batch()
    patches = method.encoder.patches(given.views[0])
    count = patches.shape[1]
    assert count == 24
    loss = method.step(given)
    told, drawn = [], []
    for name, terms in (("told", told), ("drawn", drawn)):
        places = clustered(given.uniform(name, 1 + 2 * count), 4, 12, (2, 3))
        for n in range(5):
            tokens = method.encoder.embed(patches[n])
            tokens = torch.stack([method.stand_in[0, 0] if i in places[n] else tokens[i] for i in range(count)])
            out = method.encoder.attended((tokens + method.encoder.positions(count))[None])[0]
            for i in places[n].tolist():
                if name == "told":
                    scores = torch.stack([patches[n, i] / 2 @ method.tell(out[j]) for j in places[n].tolist()])
                    terms.append(scores.logsumexp(0) - patches[n, i] / 2 @ method.tell(out[i]))
                else:
                    terms.append((method.draw(out[i]) - patches[n, i] / 2).square().mean())
    torch.testing.assert_close(loss["told"][0], torch.stack(told).mean(), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(loss["drawn"][0], torch.stack(drawn).mean(), atol=1e-5, rtol=1e-5)
    assert (loss["told"][1], loss["drawn"][1]) == (1.0, 10.0)


def test_what_is_hidden_does_not_enter():
    method, given = made().eval(), batch()
    patches = method.encoder.patches(given.views[0])
    out, there = method.hide(patches, given, "told")
    place = clustered(given.uniform("told", 49), 4, 19, (3, 5))
    other = patches.scatter_add(1, place[:, :, None].expand(-1, -1, 64), torch.full((5, 19, 64), 3.0))
    again, moved = method.hide(other, given, "told")
    torch.testing.assert_close(out, again)
    torch.testing.assert_close(moved, there + 1.5)


@pytest.mark.parametrize("options", [{"hidden_share": 1.0}, {"cluster": (3, 2)}, {"telling": 0.0, "drawing": 0.0}])
def test_mistakes_are_named(options):
    with pytest.raises(TacitError):
        made(**options)
