"""What was hidden, predicted: against a loop, by its gradient, and in cases that are known."""

import pytest
import torch

from tacit.objectives.hidden import hidden_patches

N, T, D = 3, 6, 5


def given(seed=0):
    torch.manual_seed(seed)
    mask = torch.zeros(N, T, dtype=torch.bool)
    for i in range(N):
        mask[i, torch.randperm(T)[:4]] = True
    return torch.randn(N, T, D), 3 + 2 * torch.randn(N, T, D), mask


@pytest.mark.parametrize("standardise", [True, False])
def test_value_equals_the_loop(standardise):
    prediction, patches, mask = given()
    terms = []
    for i in range(N):
        for j in range(T):
            if mask[i, j]:
                patch = patches[i, j]
                if standardise:
                    mean = sum(patch) / D
                    variance = sum((value - mean) ** 2 for value in patch) / (D - 1)
                    patch = (patch - mean) / (variance + 1e-6) ** 0.5
                terms.append(sum((p - q) ** 2 for p, q in zip(prediction[i, j], patch)) / D)
    torch.testing.assert_close(hidden_patches(prediction, patches, mask, standardise), sum(terms) / len(terms))


@pytest.mark.parametrize("standardise", [True, False])
def test_gradient_by_differences(standardise):
    """The loss is quadratic in the prediction, so central differences are exact but for rounding."""
    prediction, patches, mask = given()
    prediction = prediction.double().requires_grad_()
    function = lambda p: hidden_patches(p, patches, mask, standardise)  # noqa: E731
    assert torch.autograd.gradcheck(function, prediction, eps=0.1, atol=1e-4)


def test_perfect_is_zero_and_the_shown_does_not_matter():
    _, patches, mask = given()
    assert float(hidden_patches(patches, patches, mask, False)) == 0
    wrong = torch.where(mask[:, :, None], patches, 1e6)
    assert float(hidden_patches(wrong, patches, mask, False)) == 0
    assert float(hidden_patches(torch.zeros_like(patches), patches, mask, True)) == pytest.approx((D - 1) / D, rel=1e-4)


def test_a_patch_of_one_colour_is_no_division_by_zero():
    prediction, patches, mask = given()
    prediction.requires_grad_()
    loss = hidden_patches(prediction, torch.full_like(patches, 0.3), mask, True)
    loss.backward()
    assert loss.isfinite() and prediction.grad.isfinite().all()


def test_half_precision_is_computed_in_full():
    prediction, patches, mask = given()
    with torch.autocast("cpu", torch.bfloat16):
        half = hidden_patches(prediction.bfloat16(), patches, mask, True)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, hidden_patches(prediction.bfloat16().float(), patches, mask, True))
