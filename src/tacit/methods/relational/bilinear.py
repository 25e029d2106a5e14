"""The bilinear scorer: a relation is a matrix between head and tail."""

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.method import Batch, Facts, Method, Paper, Recipe
from tacit.objectives.margin_ranking import margin_ranking
from tacit.parts.entities import Entities
from tacit.views.kinds import Corrupted


class Bilinear(Method):
    """A true triple scores higher than a corrupted one by a margin; the score is headᵀ · matrix of the relation · tail.

    The bilinear scorer of Yang et al. 2014 (table 1), trained as DistMult, which is the same with diagonal matrices; the
    model is RESCAL's (Nickel et al. 2011), whose training is another.

    unverified: equation 3 was followed; no official code is known.
    Differs: AdamW where the paper has AdaGrad; the loss is a mean, not a sum.
    """

    paper = Paper(
        "Embedding Entities and Relations for Learning and Inference in Knowledge Bases",
        "Yang, Yih, He, Gao, Deng",
        2014,
        "arXiv:1412.6575",
    )
    views = Corrupted()
    recipe = Recipe(optimizer="adamw", lr=1e-2, batch=8192, epochs=100, schedule="constant")
    recipes = {"small": Recipe(optimizer="adamw", lr=1e-2, batch=256, epochs=100)}

    def __init__(self, encoder: Entities, *, margin: float = 1.0, penalty: float = 1e-4):
        super().__init__(encoder)
        positive(margin=margin)
        if penalty < 0:
            raise TacitError(f"penalty is {penalty}; give 0 or more.")
        self.margin, self.penalty = margin, penalty

    def prepare(self, facts: Facts):
        count, dim = len(facts.more["relations"]), self.encoder.dim
        self.relations = nn.Parameter(torch.randn(count, dim * dim) / dim)

    def step(self, batch: Batch):
        triples = batch.views[0]
        loss = margin_ranking(self.score(triples), self.score(batch.params[0]["corrupted"]), self.margin)
        return {"ranking": loss, "size": (self.relations[triples[:, 1]].square().sum(1).mean(), self.penalty)}

    def after_step(self, batch: Batch):
        self.encoder.to_sphere()

    def matrices(self, relation: Tensor) -> Tensor:
        """Of each relation: … × d × d."""
        return self.relations[relation].unflatten(-1, (self.encoder.dim, self.encoder.dim))

    def score(self, triples: Tensor) -> Tensor:
        """Triples … × 3 -> their scores."""
        head, relation, tail = triples.unbind(-1)
        moved = (self.encoder.lookup(head)[..., None, :] @ self.matrices(relation))[..., 0, :]
        return (moved * self.encoder.lookup(tail)).sum(-1)

    def score_tails(self, head: Tensor, relation: Tensor) -> Tensor:
        """Every entity as the tail: n × E."""
        return (self.encoder.lookup(head)[:, None] @ self.matrices(relation))[:, 0] @ self.encoder.table.weight.T

    def score_heads(self, relation: Tensor, tail: Tensor) -> Tensor:
        """Every entity as the head: n × E."""
        return (self.matrices(relation) @ self.encoder.lookup(tail)[..., None])[..., 0] @ self.encoder.table.weight.T

    def relation_vectors(self) -> Tensor:
        """What rules are read off: R × d × d."""
        return self.relations.unflatten(1, (self.encoder.dim, self.encoder.dim))

    def chained(self, first: Tensor, second: Tensor) -> Tensor:
        """Two relations one after the other: a matrix product."""
        return first @ second
