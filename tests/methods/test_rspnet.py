"""RSPNet by hand: what is compared with what, whose keys are kept, and where gradient goes."""

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


@pytest.mark.parametrize("wrong", [{"margin": 0.0}, {"temperature": -1.0}, {"teacher_momentum": 2.0}])
def test_wrong_options_are_named(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        made(**wrong)
