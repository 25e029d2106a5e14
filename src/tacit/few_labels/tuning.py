"""What every head that changes the encoder does: train at several rates, keep the one that is best on labels held back."""

from collections.abc import Callable

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from tacit.evaluation.labelled.fine_tuning import RATES, Part, Tuned, answers
from tacit.few_labels.folds import folds

FOLDS = 5  # of what is learned from; one is held back to choose the rate

Train = Callable[[np.ndarray, float], Tuned]  # rows to learn from, a rate


def at_the_best_rate(train: Train, part: Part, rows: np.ndarray, seed: int, rates: tuple[float, ...] = RATES) -> Tuned:
    """Trained on all these rows at the rate with the least cross-entropy on a fifth of them; of equals the smallest.

    Where every class has but one sample nothing can be held back, and the rate is the one in the middle.
    """
    places = np.unique(part.labels, return_inverse=True)[1]
    held = folds(np.unique(places[rows], return_inverse=True)[1], FOLDS, seed)
    if not len(held):
        return train(rows, sorted(rates)[len(rates) // 2])
    kept, aside = rows[~held[0]], rows[held[0]]
    target = torch.from_numpy(places[aside])

    def loss(rate: float) -> float:
        return float(cross_entropy(answers(train(kept, rate), part, aside).cpu(), target))

    return train(rows, min(sorted(rates), key=loss))
