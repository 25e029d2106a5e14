"""InfoNCE of latents to come: by a naive loop, and by finite differences."""

import math

import pytest
import torch

from tacit.objectives.sequences.latent_prediction import latent_prediction, likeness


def given(n=2, length=5, steps=2, q=3, dim=4):
    generator = torch.Generator().manual_seed(0)
    moments = length - steps
    shapes = ((n, moments, steps, dim), (n, length, dim), (n, moments, q, dim))
    return [torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_() for shape in shapes]


def test_the_loss_is_its_definition():
    predictions, latents, others = (x.detach() for x in given())
    for k in range(2):
        wrong = []
        for i in range(2):
            for t in range(3):
                own = float(predictions[i, t, k] @ latents[i, t + k + 1])
                rest = [float(predictions[i, t, k] @ other) for other in others[i, t]]
                wrong.append(math.log(sum(math.exp(s) for s in (own, *rest))) - own)
        assert float(latent_prediction(predictions, latents, others)[k]) == pytest.approx(sum(wrong) / 6, rel=1e-5)


def test_the_first_score_is_of_what_came():
    predictions, latents, others = (x.detach() for x in given())
    scores = likeness(predictions, latents, others)
    assert scores.shape == (2, 3, 2, 4)
    assert float(scores[1, 2, 1, 0]) == pytest.approx(float(predictions[1, 2, 1] @ latents[1, 4]), rel=1e-5)


def test_gradient_by_finite_differences():
    torch.set_default_dtype(torch.float64)
    try:
        inputs = [x.float().double().detach().requires_grad_() for x in given()]
        loss = latent_prediction(*inputs).sum()
        gradients = torch.autograd.grad(loss, inputs)
        for x, gradient in zip(inputs, gradients):
            step = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
            moved = [latent_prediction(*[y + s * 1e-2 * step if y is x else y for y in inputs]).sum() for s in (1, -1)]
            assert float((moved[0] - moved[1]).detach() / 2e-2) == pytest.approx(float((gradient * step).sum()), rel=1e-2)
    finally:
        torch.set_default_dtype(torch.float32)
