"""The neural tensor network: a relation is a small network with a bilinear layer."""

import torch
from torch import Tensor, nn

from tacit.errors import positive
from tacit.method import Batch, Facts, Method, Paper, Recipe
from tacit.objectives.margin_ranking import margin_ranking
from tacit.parts.entities import Entities
from tacit.views.kinds import Corrupted


class NTN(Method):
    """A true triple scores higher than a corrupted one by a margin; the score is uᵀ tanh(headᵀ W tail + V [head, tail] + b).

    W has `slices` matrices for each relation. The most general scorer of Yang et al. 2014 (table 1).

    unverified: equation 1 was followed; no official code is known.
    Differs: AdamW where the paper has L-BFGS; entities have one vector each, not the mean of their words'.
    """

    paper = Paper(
        "Reasoning With Neural Tensor Networks for Knowledge Base Completion",
        "Socher, Chen, Manning, Ng",
        2013,
        "https://papers.nips.cc/paper/5028",
    )
    views = Corrupted()
    recipe = Recipe(optimizer="adamw", lr=1e-2, batch=1024, epochs=100, schedule="constant")
    recipes = {"small": Recipe(optimizer="adamw", lr=1e-2, batch=256, epochs=100)}

    def __init__(self, encoder: Entities, *, margin: float = 1.0, slices: int = 4):
        super().__init__(encoder)
        positive(margin=margin, slices=slices)
        self.margin, self.slices = margin, slices

    def prepare(self, facts: Facts):
        count, dim, slices = len(facts.more["relations"]), self.encoder.dim, self.slices
        self.tensor = nn.Parameter(torch.randn(count, slices, dim, dim) / dim)
        self.linear = nn.Parameter(torch.randn(count, 2, slices, dim) / dim**0.5)
        self.bias = nn.Parameter(torch.zeros(count, slices))
        self.out = nn.Parameter(torch.ones(count, slices))

    def step(self, batch: Batch):
        return margin_ranking(self.score(batch.views[0]), self.score(batch.params[0]["corrupted"]), self.margin)

    def after_step(self, batch: Batch):
        self.encoder.to_sphere()

    def score(self, triples: Tensor) -> Tensor:
        """Triples … × 3 -> their scores."""
        head, relation, tail = triples.unbind(-1)
        left, own = self.left(self.encoder.lookup(head), relation, self.tensor, 0)
        right = self.encoder.lookup(tail)[..., None]
        hidden = (left @ right)[..., 0] + own + (self.linear[relation, 1] @ right)[..., 0]
        return (hidden.tanh() * self.out[relation]).sum(-1)

    def score_tails(self, head: Tensor, relation: Tensor) -> Tensor:
        """Every entity as the tail: n × E."""
        left, own = self.left(self.encoder.lookup(head), relation, self.tensor, 0)
        return self.everyone(left + self.linear[relation, 1], own, relation)

    def score_heads(self, relation: Tensor, tail: Tensor) -> Tensor:
        """Every entity as the head: n × E."""
        right, own = self.left(self.encoder.lookup(tail), relation, self.tensor.mT, 1)
        return self.everyone(right + self.linear[relation, 0], own, relation)

    def left(self, known: Tensor, relation: Tensor, tensor: Tensor, side: int) -> tuple[Tensor, Tensor]:
        """What one end contributes: to be multiplied with the other, … × slices × d, and by itself, … × slices."""
        through = torch.einsum("...d,...kde->...ke", known, tensor[relation])
        own = (self.linear[relation, side] @ known[..., None])[..., 0]
        return through, own + self.bias[relation]

    def everyone(self, through: Tensor, own: Tensor, relation: Tensor) -> Tensor:
        """The scores of all entities at the other end."""
        hidden = (through @ self.encoder.table.weight.T + own[..., None]).tanh()
        return (hidden * self.out[relation][..., None]).sum(1)
