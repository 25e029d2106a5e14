"""Fine-tuning: the encoder and a linear head on it are trained together by cross-entropy."""

import numpy as np
from torch import nn

from tacit.evaluation.labelled.fine_tuning import Part, Tuned, tuned
from tacit.few_labels.tuning import at_the_best_rate
from tacit.method import Paper

paper = Paper("Do Better ImageNet Models Transfer Better?", "Kornblith, Shlens, Le", 2019, "arXiv:1805.08974")


def fit(encoder: nn.Module, part: Part, rows: np.ndarray, steps: int, seed: int = 0) -> Tuned:
    """A copy of the encoder with a head, trained on these rows of the part; how is said at `fine_tuning.trained`."""
    return at_the_best_rate(lambda some, rate: tuned(encoder, part, some, rate, steps, seed), part, rows, seed)
