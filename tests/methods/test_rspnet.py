"""RSPNet against PeihaoChen/RSPNet@2958779, and by hand: what is compared with what, where gradient goes.

The numbers are what its own MoCoDiffLossTwoFc and Loss gave for these clips, on one process, with linear nets.
"""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, margin_ranking_loss, normalize

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.positives.rspnet import RSPNet
from tests.methods.fixed import wave


class Flat(nn.Module):
    """A linear look at a clip."""

    dim = 6

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 6)

    def forward(self, x):
        return self.layer(x.flatten(1))


def made(**options):
    torch.manual_seed(0)
    return RSPNet(Flat(), dim=4, queue=8, **options), Batch([wave(4, 3, 2, 2, 1, 2, turn=0.7)], torch.arange(4))


def test_a_step_written_out():
    method, batch = made(teacher_momentum=0.5)
    with torch.no_grad():
        method.teacher.module.first.weight.add_(0.3)  # a teacher that lags
    rows = method.queue.rows.clone()
    losses = method.step(batch)
    query, same, other = batch.views[0].unbind(1)

    def seen(clip, by, head):
        return normalize(head(by(clip)), dim=1)

    teacher = method.teacher.module
    look, pace = (seen(query, method.encoder, head) for head in (method.appearance, method.speed))
    keys = [seen(clip, teacher.encoder, teacher.first) for clip in (same, other)]
    paces = [(pace * seen(clip, teacher.encoder, teacher.second)).sum(1) / 0.07 for clip in (same, other)]
    expected = sum(
        cross_entropy(torch.cat([(look * key).sum(1, keepdim=True), look @ rows.T], 1) / 0.07, torch.zeros(4, dtype=int))
        for key in keys
    )
    torch.testing.assert_close(losses["appearance"], expected)
    ranking, weight = losses["speed"]
    torch.testing.assert_close(ranking, margin_ranking_loss(*paces, torch.ones(4), margin=2.0))
    assert weight == 1.0
    (losses["appearance"] + ranking).backward()
    assert all(p.grad is None for p in method.teacher.parameters())
    assert all(p.grad is not None for module in (method.encoder, method.appearance, method.speed) for p in module.parameters())
    before = teacher.first.weight.clone()
    method.after_step(batch)
    torch.testing.assert_close(method.queue.rows[:4], keys[1].detach())  # the keys of the other speed alone
    assert torch.equal(method.queue.rows[4:], rows[4:])
    torch.testing.assert_close(teacher.first.weight, (before + method.appearance.weight) / 2)


LOOK, RANKING = 11.453187942504883, 1.1234261989593506
GRADIENTS = [13.337061882019043, 5.473642826080322, 17.58451271057129, 3.768602132797241, 1.9763635396957397, 0.308962881565094]
KEYS = [
    [0.5129207968711853, 0.8570566773414612, 0.03524269163608551, -0.033528685569763184],
    [-0.6518441438674927, -0.17384478449821472, 0.2281179279088974, 0.7020251750946045],
    [0.7973431944847107, 0.3153765797615051, -0.2813149690628052, -0.43086355924606323],
    [0.7306748032569885, 0.5881205797195435, -0.1565193086862564, -0.3094030022621155],
]  # what the queue took in


def test_losses_gradients_and_keys_are_the_official():
    """Their slow copy moves before a batch, ours after the last: it is moved once before ours sees it."""
    method, batch = made(teacher_momentum=0.5)
    learner = [p for module in (method.encoder, method.appearance, method.speed) for p in module.parameters()]
    with torch.no_grad():
        for i, (p, slow) in enumerate(zip(learner, method.teacher.parameters())):
            p.copy_(wave(*p.shape, turn=0.7 + 0.13 * i) * 0.5)
            slow.copy_((wave(*p.shape, turn=0.9 + 0.17 * i) * 0.5 + p) / 2)
        method.queue.rows.copy_(normalize(wave(8, 4, turn=0.31), dim=1))
    losses = method.step(batch)
    ranking, weight = losses["speed"]
    (losses["appearance"] + weight * ranking).backward()
    assert float(losses["appearance"].detach()) == pytest.approx(LOOK, rel=1e-5)
    assert float(ranking.detach()) == pytest.approx(RANKING, rel=1e-5)
    assert [float(p.grad.norm()) for p in learner] == pytest.approx(GRADIENTS, rel=1e-4)
    method.after_step(batch)
    torch.testing.assert_close(method.queue.rows[:4], torch.tensor(KEYS), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("wrong", [{"margin": 0.0}, {"temperature": -1.0}, {"teacher_momentum": 2.0}])
def test_wrong_options_are_named(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        made(**wrong)
