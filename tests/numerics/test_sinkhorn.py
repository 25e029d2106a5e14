"""Codes against the released code's and a naive loop; sums; scores of any size; two processes as one.

CODES is what distributed_sinkhorn of facebookresearch/swav@06b1b7c gave on sin(0.83 · i), epsilon 0.05, 3 iterations.
"""

import numpy as np
import pytest
import torch

from tacit.numerics.processes import rank, size
from tacit.numerics.sinkhorn import doubly_stochastic, sinkhorn

CODES = [
    [0.4658513, 0.4627101, 0.0714286, 9.9e-06, 0.0, 0.0, 0.0],
    [0.0023373, 0.0088809, 0.82174, 0.1670412, 6e-07, 0.0, 0.0],
    [1.6e-06, 7e-07, 0.0029894, 0.9952825, 0.0017258, 0.0, 0.0],
    [1e-07, 0.0, 2.1e-06, 0.2465613, 0.7531761, 0.0002599, 4e-07],
    [1e-07, 0.0, 0.0, 0.0001999, 0.7952397, 0.2028188, 0.0017415],
    [7e-07, 0.0, 0.0, 0.0, 0.0009493, 0.4628379, 0.5362121],
]


def wave(n, k, rate=0.83):
    return torch.from_numpy(np.sin(rate * np.arange(n * k)).reshape(n, k).astype(np.float32))


def naive(scores, epsilon, iterations):
    """In float64 by loops over the joint distribution: each prototype gets 1/k, then each sample 1/n."""
    q = np.exp(scores.double().numpy() / epsilon)
    n, k = q.shape
    q /= q.sum()
    for _ in range(iterations):
        for column in range(k):
            q[:, column] /= q[:, column].sum() * k
        for row in range(n):
            q[row] /= q[row].sum() * n
    return torch.from_numpy(q / q.sum(1, keepdims=True)).float()


def test_equals_the_released_code():
    torch.testing.assert_close(sinkhorn(wave(6, 7), 0.05), torch.tensor(CODES), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("iterations", [0, 1, 3, 10])
@pytest.mark.parametrize("epsilon", [0.05, 0.5])
def test_equals_the_loop(epsilon, iterations):
    scores = wave(16, 5)
    expected = naive(scores, epsilon, iterations)
    torch.testing.assert_close(sinkhorn(scores, epsilon, iterations), expected, rtol=1e-4, atol=1e-6)


def test_rows_sum_to_one_and_columns_become_equal():
    codes = sinkhorn(wave(64, 8), 0.05)
    torch.testing.assert_close(codes.sum(1), torch.ones(64))
    assert float((codes.sum(0) - 8).abs().max()) < 1.5  # 3 iterations: nearly
    torch.testing.assert_close(sinkhorn(wave(64, 8), 0.05, 300).sum(0), torch.full((8,), 8.0), rtol=1e-3, atol=1e-3)


def test_known_cases():
    torch.testing.assert_close(sinkhorn(torch.ones(4, 3), 0.05), torch.full((4, 3), 1 / 3))  # nothing to tell apart
    torch.testing.assert_close(sinkhorn(torch.eye(4), 0.02), torch.eye(4))  # everyone has a prototype of its own
    crowd = torch.tensor([[1.0, 0.9], [1.0, 0.8], [1.0, 0.2], [1.0, 0.1]])  # all prefer one prototype, half must go
    torch.testing.assert_close(sinkhorn(crowd, 0.02, 50).round(), torch.tensor([[0.0, 1], [0, 1], [1, 0], [1, 0]]))


def test_scores_of_any_size_are_finite_and_a_common_shift_changes_nothing():
    scores = wave(6, 7)
    for large in (scores * 5, scores * 1e4, scores + torch.linspace(0, 400, 7)):  # exp(20 · score) is infinite, or all 0
        codes = sinkhorn(large, 0.05)
        assert codes.isfinite().all()
        torch.testing.assert_close(codes.sum(1), torch.ones(6))
    torch.testing.assert_close(sinkhorn(scores + 3, 0.05), sinkhorn(scores, 0.05), rtol=1e-3, atol=1e-5)


def test_without_gradient_and_in_float32():
    codes = sinkhorn(wave(4, 3).bfloat16().requires_grad_(), 0.05)
    assert codes.dtype == torch.float32 and not codes.requires_grad


def test_turns_on_scalings_are_those_on_logarithms():
    from tacit.numerics import sinkhorn as module

    for scores, epsilon in ((wave(64, 40), 0.05), (wave(33, 100, 1.7), 0.03), (wave(300, 7), 0.2)):
        for iterations in (1, 3, 20):
            wanted = module._on_logarithms(scores / epsilon, iterations)
            torch.testing.assert_close(sinkhorn(scores, epsilon, iterations), wanted, rtol=1e-4, atol=1e-6)


def test_pieces_and_threads_change_nothing(monkeypatch):
    whole, before = sinkhorn(wave(50, 9), 0.05), torch.get_num_threads()
    monkeypatch.setattr("tacit.numerics.sinkhorn.CELLS", 30)
    try:
        torch.set_num_threads(3)
        torch.testing.assert_close(sinkhorn(wave(50, 9), 0.05), whole, rtol=1e-5, atol=1e-6)
    finally:
        torch.set_num_threads(before)


def test_scores_are_not_written_to():
    scores = wave(6, 7)
    assert sinkhorn(scores, 0.05).isfinite().all() and sinkhorn(1e4 * scores, 0.05).isfinite().all()
    assert torch.equal(scores, wave(6, 7))


def shared():
    """This process's share of 10 rows; of the even and of the odd ones, or four and six."""
    scores = wave(10, 5)
    alternate, uneven = scores[rank() :: size()], scores.split([4, 6])[rank()]
    return [sinkhorn(part, 0.05).tolist() for part in (alternate, uneven)]


def test_two_processes_share_what_one_computes(pair):
    expected = sinkhorn(wave(10, 5), 0.05)
    (even, first), (odd, second) = pair.run(shared)
    torch.testing.assert_close(torch.tensor(even), expected[::2], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(torch.tensor(odd), expected[1::2], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(torch.tensor(first + second), expected, rtol=1e-5, atol=1e-6)


def test_doubly_stochastic_equals_the_loop_with_columns_scales_taken_as_given():
    scores = wave(7, 7).requires_grad_()
    plan, columns = (scores / 0.2).exp(), torch.ones(7)
    for _ in range(2):
        rows = 1 / (plan @ columns)
        columns = (1 / (rows @ plan)).detach()
    wanted = plan * (1 / (plan @ columns))[:, None] * columns
    found = doubly_stochastic(scores, 0.2)
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(found.sum(1), torch.ones(7))
    weights = wave(7, 7).flip(0)
    slopes = [torch.autograd.grad((weights * one).sum(), scores)[0] for one in (found, wanted)]
    torch.testing.assert_close(*slopes)
    assert (doubly_stochastic(scores, 0.2, 99).sum(0) - 1).abs().max() < 1e-3


@pytest.mark.parametrize("scale", [1, 1000], ids=["on scalings", "on logarithms"])
def test_a_buffer_is_written_into(scale):
    scores, buffer = scale * wave(9, 5), torch.full((9, 5), float("nan"))
    assert sinkhorn(scores, 0.05, out=buffer) is buffer and torch.equal(buffer, sinkhorn(scores, 0.05))
