"""Triplet network: nearer to the same than to another, by the ratio of two distances."""

import torch
from torch import Tensor

from tacit.errors import several
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.numerics.processes import gather, mine
from tacit.objectives.contrast.distance_ratio import distance_ratio
from tacit.views.kinds import Pair


class TripletNet(Method):
    """A look lies nearer to another look at its sample than to a look at another sample, which is drawn evenly.

    The encoder's answer itself is compared, by plain distance: no head, no length one, no margin, no mining.

    checked: eladhoffer/TripletNet@98d80f5
    Compared: loss and gradients over three steps by its TripletNet.lua and DistanceRatioCriterion.lua, run by Torch 7; its data
    and its network by reading.
    Differs: what is the same is a look at the same sample, the paper's oracle without labels, where the released code draws two
    samples of one class; the other sample is one of the batch; any encoder for its four convolutions, which end in a ReLU;
    representations are judged by cosines here, as all are.
    """

    paper = Paper("Deep Metric Learning Using Triplet Network", "Hoffer, Ailon", 2015, "arXiv:1412.6622")
    views = Pair()
    whole_batch = True
    recipe = Recipe(optimizer="sgd", lr=0.1, batch=128, weight_decay=1e-4, schedule="constant", epochs=100)
    recipes = {"small": Recipe(optimizer="adamw", lr=1e-3, batch=128, weight_decay=1e-4, warmup=1, epochs=40)}

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)

    def step(self, batch: Batch):
        anchor, same = (self.encoder(view) for view in batch)
        return distance_ratio(anchor, same, gather(same)[others(batch)])


def others(batch: Batch) -> Tensor:
    """Another sample for each of this batch, by its place among those of all processes: int64, n.

    All are put in a circle in the order of their own draws, and each is told the next.
    """
    draws = gather(batch.uniform("place", 1)[:, 0])
    several(len(draws))
    order = draws.argsort()
    return torch.empty_like(order).scatter_(0, order, order.roll(-1))[mine(len(batch), draws.device)]
