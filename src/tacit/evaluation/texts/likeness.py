"""Whether texts that people found alike have embeddings that are."""

import math

import numpy as np
import torch
from torch import Tensor

from tacit.evaluation.intervals import Z
from tacit.evaluation.labelled.anomalies import auroc
from tacit.evaluation.number import Number, missing

FEWEST = 10  # pairs


def likeness_numbers(first: Tensor, second: Tensor, scores: np.ndarray) -> list[Number]:
    """Spearman's correlation of cosines, of n × d twice, with people's scores, n, over all pairs at once.

    As SimCSE's evaluation of STS has it ("all"; Gao et al. 2021, arXiv:2104.08821, appendix B). The interval is by Fisher's z
    with Bonett and Wright's error (2000, Psychometrika 65, equation 7). Of scores of two values also the AUROC: how often a
    pair of the higher one is the more alike.
    """
    from scipy.stats import spearmanr

    n = len(scores)
    if n < FEWEST or len(np.unique(scores)) < 2:
        return [missing("sts_spearman", f"there are {n} pairs, and {FEWEST} with different scores are needed.")]
    cosines = torch.nn.functional.cosine_similarity(first.double(), second.double()).numpy()
    if np.ptp(cosines) == 0:
        return [missing("sts_spearman", "all pairs are equally alike.")]
    found = float(spearmanr(cosines, scores).statistic)
    half = Z * math.sqrt((1 + found**2 / 2) / (n - 3))
    middle = math.atanh(min(max(found, -1 + 1e-9), 1 - 1e-9))
    protocol = {"test": n, "similarity": "cosine", "interval": "Bonett and Wright, 95 %"}
    numbers = [Number("sts_spearman", found, math.tanh(middle - half), math.tanh(middle + half), protocol)]
    low, *others = np.unique(scores).tolist()
    if len(others) == 1:
        apart = auroc(torch.from_numpy(cosines[scores == low]), torch.from_numpy(cosines[scores != low]))
        numbers.append(Number("pair_auroc", apart, math.nan, math.nan, {**protocol, "interval": "none"}))
    return numbers
