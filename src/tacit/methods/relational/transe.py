"""TransE: a relation is a step from head to tail."""

import torch
from torch import Tensor, nn

from tacit.errors import positive
from tacit.method import Batch, Facts, Method, Paper, Recipe
from tacit.objectives.margin_ranking import margin_ranking
from tacit.parts.entities import Entities
from tacit.views.kinds import Corrupted


class TransE(Method):
    """A true triple's head, moved by its relation, comes nearer to its tail than that of a corrupted one, by a margin.

    The linear scorer of Yang et al. 2014 (table 1), which compares DistMult with it. `order` is that of the distance: 1 or 2.

    unverified: equation 1 and algorithm 1 were followed; protocol as in pykeen/pykeen.
    Differs: AdamW where the paper has SGD; the loss is a mean, not a sum; relations do not begin at length 1.
    """

    paper = Paper(
        "Translating Embeddings for Modeling Multi-relational Data",
        "Bordes, Usunier, Garcia-Durán, Weston, Yakhnenko",
        2013,
        "https://papers.nips.cc/paper/5071",
    )
    views = Corrupted()
    recipe = Recipe(optimizer="adamw", lr=1e-2, batch=32768, epochs=100, schedule="constant")
    recipes = {"small": Recipe(optimizer="adamw", lr=1e-2, batch=256, epochs=100)}

    def __init__(self, encoder: Entities, *, margin: float = 1.0, order: int = 1):
        super().__init__(encoder)
        positive(margin=margin, order=order)
        self.margin, self.order = margin, order

    def prepare(self, facts: Facts):
        self.relations = nn.Embedding(len(facts.more["relations"]), self.encoder.dim)
        nn.init.xavier_uniform_(self.relations.weight)

    def step(self, batch: Batch):
        return margin_ranking(self.score(batch.views[0]), self.score(batch.params[0]["corrupted"]), self.margin)

    def after_step(self, batch: Batch):
        self.encoder.to_sphere()

    def score(self, triples: Tensor) -> Tensor:
        """Triples … × 3 -> minus their distances."""
        head, relation, tail = triples.unbind(-1)
        apart = self.encoder.lookup(head) + self.relations(relation) - self.encoder.lookup(tail)
        return -apart.norm(p=self.order, dim=-1)

    def score_tails(self, head: Tensor, relation: Tensor) -> Tensor:
        """Every entity as the tail: n × E."""
        return -torch.cdist(self.encoder.lookup(head) + self.relations(relation), self.encoder.table.weight, p=self.order)

    def score_heads(self, relation: Tensor, tail: Tensor) -> Tensor:
        """Every entity as the head: n × E."""
        return -torch.cdist(self.encoder.lookup(tail) - self.relations(relation), self.encoder.table.weight, p=self.order)

    def relation_vectors(self) -> Tensor:
        """What rules are read off: R × d."""
        return self.relations.weight

    def chained(self, first: Tensor, second: Tensor) -> Tensor:
        """Two relations one after the other: a sum."""
        return first + second
