"""Weighted nearest-neighbour classification of frozen features."""

import torch
from torch import Tensor

from tacit.errors import TacitError, unknown
from tacit.evaluation.intervals import wilson
from tacit.evaluation.number import Number
from tacit.numerics.exact import unit
from tacit.numerics.topk import nearest

SIMILARITIES = ("cosine", "dot")
ROWS = 4096  # test samples whose votes are held at once


def knn(
    train: Tensor,
    train_labels: Tensor,
    test: Tensor,
    test_labels: Tensor,
    k: int = 20,
    temperature: float = 0.07,
    similarity: str = "cosine",
) -> Number:
    """Accuracy of the vote of the k most similar train samples, each with weight exp(similarity / temperature).

    Wu et al. 2018, arXiv:1805.01978, section 3.4 (there k = 200, ImageNet; k = 20 is DINO's). Features n × d and m × d,
    labels int64. k above the number of train samples is clipped, and the protocol says so; a tie goes to the smallest
    label. A test label that no train sample has counts as an error. Similarity: cosine or dot.
    """
    if similarity not in SIMILARITIES:
        raise unknown("similarity for kNN", similarity, SIMILARITIES)
    if k < 1 or temperature <= 0:
        raise TacitError(f"kNN got k = {k} and temperature = {temperature}; k must be at least 1 and temperature above 0.")
    used = min(k, len(train))
    hits = int((knn_predict(train, train_labels, test, used, temperature, similarity) == test_labels).sum())
    protocol = {
        "train": len(train),
        "test": len(test),
        "k": used,
        "temperature": temperature,
        "similarity": similarity,
        "interval": "Wilson, 95 %",
    }
    if used < k:
        protocol["k_clipped_from"] = k
    return Number("knn", hits / len(test), *wilson(hits, len(test)), protocol)


def knn_predict(train: Tensor, train_labels: Tensor, test: Tensor, k: int, temperature: float, similarity: str) -> Tensor:
    """The label voted for each test sample: int64, m."""
    if similarity == "cosine":
        train, test = unit(train), unit(test)
    classes, target = train_labels.unique(return_inverse=True)
    winners = []
    for tile in test.split(ROWS):
        scores, positions = nearest(tile, train, k)
        weights = torch.exp((scores - scores[:, :1]) / temperature)  # relative to the best: the same vote, no overflow
        votes = weights.new_zeros(len(tile), len(classes)).scatter_add_(1, target[positions], weights)
        winners.append(votes.argmax(1))
    return classes[torch.cat(winners)]
