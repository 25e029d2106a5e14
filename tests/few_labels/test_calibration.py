"""Temperature and calibration error: against a grid, a loop, and logits whose truth is known."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from tacit.few_labels.calibration import calibration_error, confidences, temperature


def drawn(n: int, heat: float, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits, and labels drawn by softmax(logits / heat)."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(n, 4, generator=generator)
    return logits, torch.multinomial((logits / heat).softmax(1), 1, generator=generator)[:, 0]


@pytest.mark.parametrize("heat", [0.25, 1.0, 3.0])
def test_the_temperature_of_the_truth_is_found(heat):
    assert temperature(*drawn(20_000, heat)) == pytest.approx(heat, rel=0.05)


def test_it_is_the_minimum_of_the_cross_entropy_with_one_sample_more():
    logits, labels = drawn(30, 1.5, seed=4)

    def objective(t: float) -> float:
        z = logits.double() / t
        own = cross_entropy(z, labels, reduction="sum")
        return float(own + (z.logsumexp(1) - z.mean(1)).mean())

    found = temperature(logits, labels)
    assert all(objective(found) <= objective(found * factor) + 1e-9 for factor in (0.5, 0.9, 0.99, 1.01, 1.1, 2))


def test_logits_that_are_all_right_are_not_given_a_confidence_of_one():
    logits = torch.eye(3).repeat(5, 1)
    labels = torch.arange(3).repeat(5)
    confidence = confidences(logits, temperature(logits, labels))
    assert 0.9 < float(confidence[0]) < 0.99 and float(confidence.std()) < 1e-6
    assert temperature(torch.zeros(6, 2), torch.tensor([0, 1] * 3)) > 0  # where nothing is said, nothing is undefined


def test_wrong_logits_are_made_unsure():
    logits = 5 * torch.eye(2)[torch.arange(40) % 2]
    confidence = confidences(logits, temperature(logits, 1 - torch.arange(40) % 2))
    assert float(confidence.max()) == pytest.approx(0.5, abs=0.01)


def test_calibration_error_by_a_loop():
    generator = np.random.default_rng(0)
    confidence, right = generator.uniform(0.2, 1, 500), generator.uniform(size=500) < 0.6
    confidence[:3] = (1.0, 1 / 15, 0.2)
    expected = 0.0
    for low in range(15):
        inside = (confidence > low / 15) & (confidence <= (low + 1) / 15)
        if inside.any():
            expected += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    found = calibration_error(torch.from_numpy(confidence), torch.from_numpy(right))
    assert found == pytest.approx(expected, abs=1e-9)


def test_what_is_calibrated_has_no_error_and_what_is_too_sure_has_one():
    logits, labels = drawn(20_000, 2.0)
    right = logits.argmax(1) == labels
    assert calibration_error(confidences(logits, 2.0), right) < 0.015 < 0.1 < calibration_error(confidences(logits, 1.0), right)
