"""wav2vec against facebookresearch/fairseq@1c3b984: the coming latents are predicted from what was heard.

The numbers are what its own ConvFeatureExtractionModel, ConvAggegator and Wav2VecPredictionsModel gave for these waves and
weights, with given negatives, and the sum of logistic losses for each positive as in its criterion.
"""

import numpy as np
import pytest
import torch

from tacit.data.sounds.generated import diphthongs
from tacit.encoders.audio import WaveConvolutions
from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.predictive import wav2vec
from tacit.methods.predictive.wav2vec import Wav2Vec
from tacit.objectives.audio.steps_ahead import steps_ahead
from tacit.views import Program
from tacit.views.audio import AudioViews
from tests.methods.fixed import wave

SOUNDS = diphthongs(6)
FACTS = SOUNDS.facts() | SOUNDS.statistics()
VIEWS = AudioViews.fit(FACTS, seconds=0.2)


LOSS = 0.9321161905924479 * 3  # 42 positives and 84 negatives
GRADIENTS = [
    0.32873058319091797, 0.12214431911706924, 0.1544121652841568, 1.3417106866836548, 0.17670102417469025, 0.177895188331604,
    0.04616990685462952, 0.011681961826980114, 0.06492217630147934, 0.024236859753727913, 0.1711050271987915,
    0.1251946985721588, 0.21649743616580963, 0.22054485976696014, 0.9968609809875488, 0.5665043592453003,
]  # of the mean of all logistic losses  # fmt: skip


def made(**options):
    torch.manual_seed(0)
    encoder = WaveConvolutions(Facts("audio", 6, VIEWS.shape, FACTS), width=8, strides=(10, 8), kernels=(20, 12))
    return Wav2Vec(encoder, **{"steps": 3, "context_layers": 2, "negatives_each": 4, **options})


def batch():
    index = np.arange(6)
    views, params = Program(Wav2Vec.views, VIEWS)(SOUNDS.read(index)[0], index, 3)
    return Batch(views, torch.from_numpy(index), params=params, key=5)


def test_layers_loss_and_gradients_are_the_official(monkeypatch):
    facts = Facts("audio", 2, (260,), {"rate": 8000})
    encoder = WaveConvolutions(facts, width=4, kernels=(10, 8), strides=(5, 4))
    method = Wav2Vec(encoder, steps=3, context_layers=2, negatives_each=2)
    assert method.offset == 3
    convolutions = [(layer, norm) for layer, norm in zip(method.context.layers, method.context.norms)]
    weights = [*encoder.parameters(), *(p for pair in convolutions for module in pair for p in module.parameters())]
    with torch.no_grad():
        for i, p in enumerate(weights):
            p.copy_(official(i, *p.shape))
        ahead = official(len(weights), 4, 4, 1, 3)  # in, out, 1, step
        method.predict.weight.copy_(ahead[:, :, 0].permute(2, 1, 0).flatten(0, 1))
        method.predict.bias.copy_(official(len(weights) + 1, 4).repeat(3))
    times = torch.arange(11)
    others = torch.stack([(times + 1) % 11, (times + 2) % 11], 1).expand(2, -1, -1)
    monkeypatch.setattr(wav2vec, "elsewhere", lambda draws: others)
    loss = method.step(Batch([wave(2, 260, turn=0.37)], torch.arange(2)))
    assert float(loss.detach()) == pytest.approx(LOSS, rel=1e-5)
    (loss / 3).backward()
    found = [*(p.grad for p in weights), method.predict.weight.grad, method.predict.bias.grad.view(3, 4).sum(0)]
    assert [float(grad.norm()) for grad in found] == pytest.approx(GRADIENTS, rel=1e-3)


def official(i, *shape):
    return wave(*shape, turn=0.7 + 0.13 * i) * 0.5 + (1.0 if len(shape) == 1 and i % 3 == 1 else 0.0)


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
