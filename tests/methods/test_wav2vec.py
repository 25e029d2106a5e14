"""wav2vec: the coming latents are predicted from what was heard."""

import numpy as np
import pytest
import torch

from tacit.data.sounds.generated import diphthongs
from tacit.encoders.audio import WaveConvolutions
from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.predictive.wav2vec import Wav2Vec
from tacit.objectives.audio.steps_ahead import steps_ahead
from tacit.views import Program
from tacit.views.audio import AudioViews

SOUNDS = diphthongs(6)
FACTS = SOUNDS.facts() | SOUNDS.statistics()
VIEWS = AudioViews.fit(FACTS, seconds=0.2)


def made(**options):
    torch.manual_seed(0)
    encoder = WaveConvolutions(Facts("audio", 6, VIEWS.shape, FACTS), width=8, strides=(10, 8), kernels=(20, 12))
    return Wav2Vec(encoder, **{"steps": 3, "context_layers": 2, "negatives_each": 4, **options})


def batch():
    index = np.arange(6)
    views, params = Program(Wav2Vec.views, VIEWS)(SOUNDS.read(index)[0], index, 3)
    return Batch(views, torch.from_numpy(index), params=params, key=5)


def test_the_first_prediction_does_not_overlap_with_the_present():
    method = made()
    assert (method.encoder.stride, method.encoder.field) == (80, 130) and method.offset == 2


def test_the_step_by_hand():
    method, given = made(), batch()
    z = method.encoder.sequence(given.views[0])
    t = z.shape[1]
    draws = given.uniform("others", t, 4)
    others = torch.empty(6, t, 4, dtype=torch.int64)
    for n in range(6):
        for i in range(t):
            for m in range(4):
                other = int(draws[n, i, m] * (t - 1))
                others[n, i, m] = other + (other >= i)
    predictions = method.predict(method.context(z)).view(6, t, 3, 8)
    torch.testing.assert_close(method.step(given), steps_ahead(predictions, z, others, 2))


def test_contexts_represent():
    method, given = made().eval(), batch()
    z = method.encoder.sequence(given.views[0])
    torch.testing.assert_close(method.represent(given), method.context(z).mean(1))


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="steps"):
        made(steps=0)
    short = Batch([torch.randn(2, 200)], torch.arange(2))
    with pytest.raises(TacitError, match="1 latents and the first to be predicted lies 2 ahead"):
        made().step(short)
