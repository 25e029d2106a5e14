"""Further negatives and those left out: by value and by gradient."""

import torch
from torch.autograd import gradcheck
from torch.nn.functional import cosine_similarity

from tacit.numerics.exact import unit
from tacit.objectives.n_pair import n_pair
from tacit.objectives.text.extra_negatives import extra_negatives


def three(n=5, d=4, m=3):
    torch.manual_seed(0)
    return [torch.randn(k, d, dtype=torch.float64, requires_grad=True) for k in (n, n, m)]


def test_it_equals_a_naive_loop():
    first, second, others = three()
    counts = torch.rand(5, 5) < 0.5
    counts[0, 0] = False  # a row's own is there whatever is said
    loss = 0.0
    for i in range(5):
        own = (cosine_similarity(first[i], second[i], dim=0) / 0.1).exp()
        negatives = [second[j] for j in range(5) if j != i and counts[i, j]] + list(others)
        loss -= (own / (own + sum((cosine_similarity(first[i], z, dim=0) / 0.1).exp() for z in negatives))).log() / 5
    found = extra_negatives(first, second, others, counts, 0.1)
    torch.testing.assert_close(found.double(), loss, rtol=1e-5, atol=1e-5)
    assert gradcheck(lambda *z: extra_negatives(*z, counts, 0.5), (first, second, others), eps=1e-2, atol=2e-3, rtol=2e-2)


def test_without_others_and_with_all_counted_it_is_n_pair():
    first, second, others = three()
    every = torch.ones(5, 5, dtype=torch.bool)
    wanted = n_pair(unit(first)[None], unit(second)[None], 1 / 0.2)
    torch.testing.assert_close(extra_negatives(first, second, others[:0], every, 0.2), wanted)
