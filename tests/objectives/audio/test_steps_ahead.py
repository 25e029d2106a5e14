"""Coming latents told from others: against a loop, by the gradient, and what is drawn."""

import math

import torch

from tacit.objectives.audio.steps_ahead import elsewhere, steps_ahead

N, T, K, D, M = 2, 7, 3, 4, 5


def given():
    generator = torch.Generator().manual_seed(0)
    predictions = torch.randn(N, T, K, D, generator=generator, dtype=torch.float64)
    z = torch.randn(N, T, D, generator=generator, dtype=torch.float64)
    return predictions, z, elsewhere(torch.rand(N, T, M, generator=generator))


def test_value_equals_the_loop():
    predictions, z, others = given()
    for offset in (1, 3, 5):
        terms = []
        for n in range(N):
            for j in range(K):
                for i in range(T):
                    if (target := i + offset + j) < T:
                        told = predictions[n, i, j]
                        terms.append(math.log1p(math.exp(-float(told @ z[n, target]))))
                        terms += [math.log1p(math.exp(float(told @ z[n, other]))) for other in others[n, target].tolist()]
        found = steps_ahead(predictions, z, others, offset)
        torch.testing.assert_close(float(found), (1 + M) * sum(terms) / len(terms), atol=1e-6, rtol=1e-6)


def test_nothing_known_costs_log_2_for_each_candidate():
    _, z, others = given()
    torch.testing.assert_close(float(steps_ahead(torch.zeros(N, T, K, D), z, others, 2)), (1 + M) * math.log(2))


def test_gradients_reach_predictions_and_latents():
    predictions, z, others = (x.float() if x.is_floating_point() else x for x in given())
    predictions.requires_grad_(), z.requires_grad_()
    steps_ahead(predictions, z, others, 2).backward()
    step = 1e-2
    for x in (predictions, z):
        direction = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            ahead, behind = (
                steps_ahead(*(p + sign * step * direction if p is x else p for p in (predictions, z)), others, 2)
                for sign in (1, -1)
            )
        torch.testing.assert_close((x.grad * direction).sum(), (ahead - behind) / (2 * step), atol=2e-3, rtol=2e-2)


def test_others_are_other_times_each_as_likely():
    other = elsewhere(torch.rand(1, 6, 6000, generator=torch.Generator().manual_seed(0)))[0]
    for time in range(6):
        counts = torch.bincount(other[time], minlength=6)
        assert counts[time] == 0 and (counts[counts > 0] - 1200).abs().max() < 150 and len(counts) == 6
    assert elsewhere(torch.full((1, 3, 1), 0.9999999))[0, :, 0].tolist() == [2, 2, 1]
