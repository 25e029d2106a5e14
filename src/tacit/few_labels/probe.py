"""The linear probe: logistic regression on the embeddings, its penalty chosen by folds of the labels that are given."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tacit.evaluation.labelled import linear
from tacit.few_labels.affine import Affine
from tacit.few_labels.folds import folds
from tacit.method import Paper

paper = Paper("Do Better ImageNet Models Transfer Better?", "Kornblith, Shlens, Le", 2019, "arXiv:1805.08974")

INNER = 5  # folds within what is learned from


def fit(x: Tensor, y: Tensor, seed: int = 0) -> Affine:
    """Multinomial logistic regression (`evaluation.labelled.linear.fit`); embeddings n × d, labels int64 0…C−1, n.

    The penalty is the one of `linear.PENALTIES` with the least cross-entropy over five folds, of equally good ones the
    strongest; the paper chooses it by the accuracy on a held-out part, which few labels cannot tell apart.
    """
    penalties = tuple(sorted(linear.PENALTIES, reverse=True))
    losses = torch.zeros(len(penalties))
    for held in torch.from_numpy(folds(y.numpy(), INNER, seed)):
        for place, head in enumerate(_heads(x[~held], y[~held], penalties)):
            losses[place] += cross_entropy(head(x[held]), y[held], reduction="sum")
    (head,) = _heads(x, y, (penalties[int(np.argmin(losses.numpy()))],))
    return head


def _heads(x: Tensor, y: Tensor, penalties: tuple[float, ...]) -> list[Affine]:
    """One for each penalty, on embeddings as they are: what standardises and rotates them is multiplied in."""
    found = linear.fit(x, y, penalties)
    weights = found.weights[:, :, :-1] @ found.axes.T
    biases = found.weights[:, :, -1] - weights @ found.mean
    return [Affine(weight, bias, unit=False) for weight, bias in zip(weights, biases)]
