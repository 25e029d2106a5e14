"""Gradient-boosted trees on embeddings, which on tables is what embeddings must be measured against on raw features."""

import numpy as np
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.intervals import wilson
from tacit.evaluation.number import Number, missing

ROUNDS = 100  # trees for each class


def boosted(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor, seed: int = 0) -> Number:
    """Accuracy of histogram-based gradient boosting (Ke et al. 2017; scikit-learn's, as it comes, with ROUNDS rounds).

    Features n × d and m × d, labels int64 (−1: left out). Measure raw input with it too: on tables trees are hard to beat.
    Raises TacitError where scikit-learn is not installed.
    """
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
    except ModuleNotFoundError:
        raise TacitError("Boosted trees are scikit-learn's, which is not installed; run pip install scikit-learn.") from None
    known, asked = train_labels >= 0, test_labels >= 0
    x, y = train[known].float().cpu().numpy(), train_labels[known].cpu().numpy()
    if len(np.unique(y)) < 2 or not bool(asked.any()):
        return missing("boosted", "trees need two classes in the train part and a labelled sample in the test part.")
    trees = HistGradientBoostingClassifier(max_iter=ROUNDS, early_stopping=False, random_state=seed).fit(x, y)
    guess = trees.predict(test[asked].float().cpu().numpy())
    right = int((guess == test_labels[asked].cpu().numpy()).sum())
    n = len(guess)
    protocol = {"train": len(x), "test": n, "rounds": ROUNDS, "seed": seed, "interval": "Wilson, 95 %"}
    return Number("boosted", right / n, *wilson(right, n), protocol)
