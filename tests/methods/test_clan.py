"""CLAN against jackwilkie/CLAN@b897428: the numbers are what its loss gave on these tensors."""

import pytest
import torch

from tacit.evaluation.labelled.anomalies import auroc, auroc_by_class, centre_scores
from tacit.method import Batch
from tacit.methods.negatives.clan import CLAN
from tacit.objectives.augmented_negatives import augmented_negatives
from tests.methods.fixed import Identity, wave


@pytest.mark.parametrize(
    ("margin", "alpha", "loss", "gradients"),
    [(0.5, 0.5, 0.33247709, (0.03245218, 0.0300669)), (0.4, 0.3, 0.22697115, (0.07516056, 0.06705597))],
)
def test_loss_and_gradient_are_the_official(margin, alpha, loss, gradients):
    clean, corrupted = (wave(8, 6, turn=turn).requires_grad_() for turn in (0.9, 1.7))
    found = augmented_negatives(clean, corrupted, margin, alpha)
    found.backward()
    assert float(found.detach()) == pytest.approx(loss, rel=1e-6)
    assert [float(x.grad.norm()) for x in (clean, corrupted)] == pytest.approx(gradients, rel=1e-4)


def test_a_share_of_the_values_is_replaced_within_reach():
    seen = []

    class Watching(Identity):
        def forward(self, x):
            seen.append(x)
            return x

    view = torch.full((400, 6), 9.0)
    CLAN(Watching(), dim=4).step(Batch([view], torch.arange(400), key=3))
    clean, corrupted = seen
    replaced = corrupted != clean
    assert torch.equal(clean, view) and abs(replaced.float().mean() - 0.1) < 0.02
    assert corrupted[replaced].abs().max() <= 1.7 and abs(corrupted[replaced].mean()) < 0.3


def test_scores_and_their_auroc_by_hand():
    train = torch.tensor([[2.0, 0.0], [4.0, 0.0]])
    scores = centre_scores(train, torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))
    assert scores.tolist() == [-1, 0, 1]
    assert auroc(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0])) == 0.875
    found = auroc_by_class(torch.tensor([0.0, 1.0, 1.0, 2.0, -1.0]), torch.tensor([0, 0, 1, 1, 2]), 0, fewest=2)
    assert found == {1: 0.875}
