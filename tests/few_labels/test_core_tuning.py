"""Core-tuning against the official code (Vanint/Core-tuning@f70e1bf, Core-tuning.py), run on these tensors without CUDA."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import normalize, one_hot

from tacit.evaluation.labelled.fine_tuning import Part, answers, untuned
from tacit.few_labels.core_tuning import Contrasted, at, fit, focal_contrast, mixtures

SLOPES = [
    [-0.006889, 0.205995, 0.313285, 0.002975],
    [-0.157418, -0.215688, -0.421522, 0.176992],
    [0.012788, 0.024089, 0.010195, -0.030454],
    [-0.033328, 0.311746, -0.035317, -0.185653],
    [0.162898, 0.048383, -0.091077, -0.337288],
    [-0.03941, 0.022371, 0.02377, 0.019118],
    [-0.032761, -0.347909, 0.063805, 0.248627],
    [-0.01498, 0.125286, 0.201928, -0.040593],
    [-0.144956, 0.034765, 0.067435, 0.166581],
]
SEMI = [
    [-0.401431, -0.647053, 0.472016, -0.004489],
    [-0.036648, 0.477274, -0.318211, 0.805993],
    [0.229563, 0.786243, -0.928933, 0.779202],
    [0.486678, -0.926032, 0.615464, -0.559053],
    [-0.333337, 0.172017, 0.903518, -0.323258],
    [0.027559, -0.111805, -0.680863, 0.427574],
]
# of the hard mixtures those of the last two samples: there, others find themselves, which is the fault that is not followed
HARD = [[0.366897, -0.203808, 0.064093, 0.149605], [0.216553, 0.724267, -0.754251, 0.690777]]


def grid(n: int, d: int, a: float) -> torch.Tensor:
    i = torch.arange(n * d, dtype=torch.float32).view(n, d)
    return torch.sin(a * i + 0.3 * i.square().remainder(7))


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values)[:, None]


FEATURES, LABELS = grid(6, 4, 2.3), one_hot(torch.tensor([0, 1, 0, 1, 2, 2])).float()
PARTNERS = torch.tensor([3, 0, 4, 5, 1, 2])
SEMI_SHARES, HARD_SHARES = column(0.8, 0.9, 0.85, 0.8, 0.95, 0.8), column(0.3, 0.6, 0.1, 0.8, 0.5, 0.9)


def test_the_focal_contrast_and_its_gradient_are_the_official():
    soft = torch.eye(3)[torch.tensor([0, 1, 2, 0, 1, 2, 0, 0, 1])].clone()
    soft[7], soft[8] = torch.tensor([0.3, 0.7, 0]), torch.tensor([0.5, 0, 0.5])
    z = normalize(grid(9, 4, 1.1), dim=1).requires_grad_()
    loss = focal_contrast(z, soft, 0.07)
    loss.backward()
    assert float(loss) == pytest.approx(0.2352200746536255, abs=1e-6)
    torch.testing.assert_close(z.grad, torch.tensor(SLOPES), atol=2e-5, rtol=0)


def test_the_mixtures_are_the_official():
    mixed, soft = mixtures(FEATURES, LABELS, SEMI_SHARES, HARD_SHARES, PARTNERS)
    torch.testing.assert_close(mixed[:6], FEATURES)
    torch.testing.assert_close(mixed[6:12], torch.tensor(SEMI), atol=2e-6, rtol=0)
    torch.testing.assert_close(mixed[16:], torch.tensor(HARD), atol=2e-6, rtol=0)
    torch.testing.assert_close(soft[:6], LABELS)
    torch.testing.assert_close(soft[6:8], torch.tensor([[0.2, 0.8, 0.0], [0.9, 0.1, 0.0]]))
    torch.testing.assert_close(soft[16:], torch.tensor([[0.5, 0.0, 0.5], [0.0, 0.1, 0.9]]))


def test_the_hardest_of_each_sample_by_a_loop():
    mixed, soft = mixtures(FEATURES, LABELS, SEMI_SHARES, HARD_SHARES, PARTNERS)
    z, y = normalize(FEATURES, dim=1), LABELS.argmax(1).tolist()
    for i in range(6):
        far = min((j for j in range(6) if y[j] == y[i] and j != i), key=lambda j: float(z[i] @ z[j]))
        near = max((j for j in range(6) if y[j] != y[i]), key=lambda j: float(z[i] @ z[j]))
        share = HARD_SHARES[i]
        torch.testing.assert_close(mixed[12 + i], share * FEATURES[far] + (1 - share) * FEATURES[near])
        torch.testing.assert_close(soft[12 + i], share * LABELS[far] + (1 - share) * LABELS[near])


def test_a_sample_without_a_positive_or_a_negative_stands_for_it():
    mixed, soft = mixtures(FEATURES[:2], torch.eye(2), column(0.8, 0.8), column(0.5, 0.5), torch.tensor([1, 0]))
    torch.testing.assert_close(mixed[4], (FEATURES[0] + FEATURES[1]) / 2)
    alike, same = mixtures(FEATURES[:2], torch.ones(2, 1), column(0.8, 0.8), column(0.0, 0.0), torch.tensor([1, 0]))
    torch.testing.assert_close(alike[4:], FEATURES[:2])
    assert torch.isfinite(mixed).all() and torch.equal(same, torch.ones(6, 1)) and soft.shape == (6, 2)


def test_the_encoder_learns_through_mixtures_only():
    features = FEATURES.clone().requires_grad_()
    mixed, _ = mixtures(features, LABELS, SEMI_SHARES, HARD_SHARES, PARTNERS)
    (slope,) = torch.autograd.grad(mixed[:6].sum(), features, allow_unused=True, retain_graph=True)
    assert slope is None or not slope.any()
    (slope,) = torch.autograd.grad(mixed[6:].sum(), features)
    assert slope.any(1).all()


def test_the_gradient_of_the_focal_contrast():
    soft = torch.eye(3, dtype=torch.float64)[torch.tensor([0, 1, 2, 0, 1])]
    z = normalize(grid(5, 4, 1.1).double(), dim=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda z: focal_contrast(z, soft, 0.5), z)


def test_no_pair_no_contrast():
    assert float(focal_contrast(normalize(grid(3, 4, 1.1), dim=1), torch.eye(3), 0.07)) == 0


class Widened(nn.Module):
    dim = 6

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 6)

    def forward(self, x):
        return self.inner(x).relu()


def part() -> Part:
    torch.manual_seed(0)
    y = torch.arange(60) % 3
    x = 3 * torch.eye(4)[y] + torch.randn(60, 4)
    return Part(lambda rows: x[torch.from_numpy(rows)], y.numpy())


def test_it_learns_and_leaves_encoder_and_generator_as_they_were():
    torch.manual_seed(1)
    encoder, data, rows = Widened(), part(), np.arange(48)
    before, state = encoder.inner.weight.clone(), torch.get_rng_state()
    model = fit(encoder, data, rows, steps=60, seed=0)
    assert torch.equal(before, encoder.inner.weight) and torch.equal(state, torch.get_rng_state())
    assert not torch.equal(model.encoder.inner.weight, before)
    asked = np.arange(48, 60)
    assert float((answers(model, data, asked).argmax(1).numpy() == data.labels[asked]).mean()) > 0.8
    again = at(encoder, data, rows, 3e-3, 5, 3), at(encoder, data, rows, 3e-3, 5, 3)
    assert torch.equal(again[0].head.weight, again[1].head.weight)


def test_the_loss_is_cross_entropy_of_everything_and_the_contrast(monkeypatch):
    """At the beginning, where the head is zero, the cross-entropy is log 3 whatever is mixed."""
    torch.manual_seed(2)
    data = part()
    model = Contrasted(untuned(Widened(), data, np.arange(30)))
    x, y = data.look(np.arange(30)), torch.from_numpy(data.labels[:30])
    monkeypatch.setattr("tacit.few_labels.core_tuning.focal_contrast", lambda z, soft, t: z.new_tensor(float(len(z))))
    assert float(model.loss(x, y)) == pytest.approx(np.log(3) + 0.1 * 90, abs=1e-5)
