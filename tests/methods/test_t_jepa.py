"""T-JEPA: which columns are seen and asked for, the loss, the slow copy."""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.predictive.t_jepa import TJEPA


class Ones(nn.Module):
    """A token is a value times a vector; what was asked of it is noted."""

    dim = 4

    def __init__(self):
        super().__init__()
        self.vector = nn.Parameter(torch.arange(1.0, 5))
        self.asked: list = []

    def tokens(self, x, keep=None):
        self.asked.append(keep)
        x = x if keep is None else x.gather(1, keep)
        return x[:, :, None] * self.vector

    def forward(self, x):
        return self.tokens(x).mean(1)


def test_context_and_targets_are_apart_and_the_loss_is_the_squared_distance():
    torch.manual_seed(0)
    method = TJEPA(Ones(), targets=3, predictor_width=8, predictor_depth=1, predictor_heads=2)
    noted = {}

    def predictor(seen, where, asked):
        noted.update(seen=seen, where=where, asked=asked)
        return torch.zeros(*asked.shape, 4)

    method.predictor.forward = predictor
    view = torch.randn(50, 20)
    loss = method.step(Batch([view], torch.arange(50), key=5))
    where, asked = noted["where"].view(50, 3, -1), noted["asked"].view(50, 3, -1)
    assert 3 <= where.shape[2] <= 7 and 3 <= asked.shape[2] <= 12 and (where[:, 0] == where[:, 2]).all()
    for row in range(50):
        for which in range(3):
            context, target = set(where[row, which].tolist()), asked[row, which].tolist()
            assert not context & set(target) and len(set(target)) == len(target)
    assert (asked[:, 0] != asked[:, 1]).any()
    values = view.repeat_interleave(3, 0).gather(1, noted["asked"])
    assert float(loss) == pytest.approx(float((values[:, :, None] * torch.arange(1.0, 5)).square().mean()), rel=1e-5)


def test_the_target_follows_and_gets_no_gradient():
    torch.manual_seed(0)
    method = TJEPA(Ones(), predictor_width=8, predictor_depth=1, predictor_heads=2, teacher_momentum=0.5)
    batch = Batch([torch.randn(9, 6)], torch.arange(9), key=5)
    method.step(batch).backward()
    assert method.teacher.module.vector.grad is None and method.encoder.vector.grad.abs().sum() > 0
    with torch.no_grad():
        method.encoder.vector += 1
    method.progress = 0.5
    method.after_step(batch)
    torch.testing.assert_close(method.teacher.module.vector, torch.arange(1.0, 5) + 0.25)
    assert method.represent(batch).shape == (9, 24)


def test_mistakes_are_named():
    with pytest.raises(TacitError, match=r"context_share is 0\.5 to 0\.2"):
        TJEPA(Ones(), context_share=(0.5, 0.2))
    with pytest.raises(TacitError, match="gives 1"):
        TJEPA(Ones()).step(Batch([torch.randn(3, 1)], torch.arange(3)))


def test_each_batch_of_an_epoch_has_its_own_sizes():
    method = TJEPA(Ones(), predictor_width=8, predictor_depth=1, predictor_heads=2)
    sizes = []
    for step in range(12):
        method.progress = step / 12
        method.step(Batch([torch.randn(4, 40)], torch.arange(4), key=5))
        sizes.append(method.encoder.asked[-1].shape[1])
    assert len(set(sizes)) > 3
