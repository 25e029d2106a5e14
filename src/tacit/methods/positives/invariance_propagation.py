"""Invariance propagation: what neighbours' neighbours lead to is of the same kind, the least alike of it above all."""

import torch
from torch import Tensor

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Encoder, Facts, Method, Paper, Recipe
from tacit.numerics.exact import full_precision, unit
from tacit.objectives.contrast.propagated import propagated
from tacit.parts.bank import Bank
from tacit.parts.looks import ONE_LOOK
from tacit.parts.mlp import mlp
from tacit.views.kinds import Single


class InvariancePropagation(Method):
    """Each sample finds itself in a memory of all, and after the share `start` of the training also the `hardest` of those to
    which it leads, from neighbour to neighbour in up to `jumps` steps.

    Everybody keeps its `neighbours` as of when it was seen last; who was not seen yet leads to the first sample. Both terms
    are shares among the `background` nearest. Of a batch its products with the whole bank are held, n × N.

    checked: WangFeng18/InvariancePropagation@cad924e
    Compared: both terms, gradient, neighbours, what is reached and bank over three steps of its loss and memory.
    Differs: the published run on CIFAR leaves mirroring out and colours always; `hidden` is the last block's width there,
    512; the released code lets norms and biases decay too.
    """

    paper = Paper(
        "Unsupervised Representation Learning by Invariance Propagation", "Wang, Liu, Guo, Sun", 2020, "arXiv:2010.11694"
    )
    views = Single(of={"image": ONE_LOOK})
    recipe = Recipe(optimizer="sgd", lr=0.03, batch=128, weight_decay=1e-4, epochs=800)
    options = {"hardest": 20, "background": 1024, "temperature": 0.1, "start": 0.25}
    small = Recipe(optimizer="adamw", lr=1e-3, batch=128, weight_decay=1e-4, warmup=1, epochs=40, options=options)
    recipes = {"small": small, "cifar": recipe.but(weight_decay=5e-4, options={"hardest": 20})}
    near: Tensor

    def __init__(
        self,
        encoder: Encoder,
        *,
        dim: int = 128,
        hidden: int = 512,
        temperature: float = 0.2,
        inertia: float = 0.5,
        neighbours: int = 4,
        jumps: int = 3,
        hardest: int = 50,
        background: int = 4096,
        weight: float = 0.6,
        start: float = 0.0375,
    ):
        super().__init__(encoder)
        positive(dim=dim, hidden=hidden, temperature=temperature, neighbours=neighbours, jumps=jumps, hardest=hardest)
        positive(background=background)
        shares(inertia=inertia, start=start)
        if weight < 0:
            raise TacitError(f"weight is {weight}; give 0 or more.")
        self.projector = mlp(encoder.dim, hidden, dim, norm=False)
        self.dim, self.temperature, self.inertia, self.neighbours, self.jumps = dim, temperature, inertia, neighbours, jumps
        self.hardest, self.background, self.weight, self.start = hardest, background, weight, start

    def prepare(self, facts: Facts):
        if facts.n <= self.neighbours:
            raise TacitError(
                f"There are {facts.n} samples, of which none has {self.neighbours} neighbours; give --neighbours 1."
            )
        self.bank = Bank(facts.n, self.dim, self.inertia)
        self.register_buffer("near", torch.zeros(facts.n, self.neighbours, dtype=torch.int64))

    def step(self, batch: Batch):
        z = self.projector(self.encoder(batch.views[0]))
        with full_precision():
            likeness = unit(z) @ self.bank.features.T
        batch.keep(z=z, near=others(likeness, batch.index, self.neighbours))
        reached = self.reached(batch.index)
        terms = propagated(likeness, batch.index, reached, self.temperature, self.background, self.hardest)
        return {"instance": terms.instance, "invariance": (terms.invariance, self.weight * (self.progress > self.start))}

    def reached(self, index: Tensor) -> Tensor:
        """Neighbours, their neighbours, and so on, level after level, some of them repeatedly: int64, n -> n × r."""
        levels = [self.near[index]]
        for _ in range(self.jumps - 1):
            levels.append(self.near[levels[-1]].flatten(1))
        return torch.cat(levels, 1)

    def after_step(self, batch: Batch):
        self.near[batch.index] = batch.kept["near"]
        self.bank.update(batch.index, batch.kept["z"])


def others(likeness: Tensor, index: Tensor, k: int) -> Tensor:
    """The k entries of the bank that are most alike and not one's own: n × N, int64 n -> int64, n × k."""
    return likeness.detach().scatter(1, index[:, None], -torch.inf).topk(k).indices
