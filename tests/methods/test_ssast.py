"""SSAST: hidden patches never enter the transformer, and are what is told and drawn."""

import numpy as np
import pytest
import torch

from tacit.data.sounds.generated import diphthongs
from tacit.encoders.audio import SpectrogramTransformer
from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.masked.ssast import SSAST
from tacit.parts.audio.clusters import clustered
from tacit.views import Program
from tacit.views.audio import AudioViews

SOUNDS = diphthongs(5)
FACTS = SOUNDS.facts() | SOUNDS.statistics()
VIEWS = AudioViews.fit(FACTS, seconds=0.24)


def made(**options):
    torch.manual_seed(0)
    return SSAST(SpectrogramTransformer(Facts("audio", 5, VIEWS.shape, FACTS), width=12, depth=1, heads=2), **options)


def batch():
    index = np.arange(5)
    views, params = Program(SSAST.views, VIEWS)(SOUNDS.read(index)[0], index, 3)
    return Batch(views, torch.from_numpy(index), params=params, key=7)


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
