"""Which words of a vocabulary an image holds, and how well that was foreseen."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import kl_div

from tacit.numerics.exact import full_precision
from tacit.numerics.processes import mean


class Read(NamedTuple):
    """What was found in n images."""

    bag: Tensor  # n × words: rows that sum to 1
    nearness: Tensor  # scalar: the mean over places of the squared distance to the nearest word, over all so far


@torch.no_grad()
def bag_of_words(places: Tensor, words: Tensor, nearness: Tensor, hardness: float, moved: float) -> Read:
    """Soft assignment of each place, of which the largest over places counts: n × p × d, k × d, scalar -> see `Read`.

    Gidaris et al. 2020 (arXiv:2012.11552), equations 1 to 3 and their code: the softmax over words of −`hardness` / nearness
    times squared distances, after nearness has `moved` by that share towards what it is in this batch, of all processes.
    """
    with full_precision():
        places, words = places.float(), words.float()
        apart = places.square().sum(2, keepdim=True) + words.square().sum(1) - 2 * places @ words.T
        nearness = torch.lerp(nearness, mean(apart.amin(2).mean()), moved)
        bag = (-hardness / nearness * apart).softmax(2).amax(1)
        return Read(bag / bag.sum(1, keepdim=True), nearness)


def foreseen_bags(features: Tensor, weights: Tensor, bag: Tensor) -> Tensor:
    """How far softmax(features · weights) of each crop is from the bag of its image: v × n × d, k × d, n × k -> v.

    The mean over images of the Kullback-Leibler divergence: the cross-entropy less what no prediction could avoid.
    """
    with full_precision():
        told = (features.float() @ weights.float().T).log_softmax(2)
        return torch.stack([kl_div(one, bag, reduction="batchmean") for one in told])
