"""The N-pair loss against a naive loop."""

import torch
from torch.nn.functional import log_softmax

from tacit.objectives.n_pair import n_pair


def test_against_a_loop():
    torch.manual_seed(0)
    targets, scores = torch.randn(2, 5, 7).softmax(2), torch.randn(3, 5, 7)
    loss = 0.0
    for a in range(2):
        for v in range(3):
            for i in range(5):
                likeness = torch.stack([4.0 * targets[a, i] @ scores[v, j] for j in range(5)])
                loss -= log_softmax(likeness, 0)[i] / 30
    torch.testing.assert_close(n_pair(targets, scores, 4.0), loss)


def test_alike_answers_are_chance():
    same = torch.ones(1, 8, 4)
    torch.testing.assert_close(n_pair(same / 4, same, 64.0), torch.tensor(8.0).log())
