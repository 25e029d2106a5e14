"""Poincaré embeddings: a hierarchy laid out in a ball whose room grows towards the edge as a tree does."""

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Facts, Method, Paper, Recipe
from tacit.numerics import counter
from tacit.numerics.poincare import descend, distance
from tacit.views.kinds import Corrupted

DAMPING = 0.75  # of how often a tail occurs, by which negatives are drawn at first
CHUNK = 1 << 14  # links whose negatives are drawn together
INITIAL = 1e-4  # half the side of the cube in which points begin


class PoincareEmbeddings(Method):
    """What is linked lies nearer than what is not, in hyperbolic distance: each entity is a point of the Poincaré ball.

    It is its own optimiser, Riemannian and compiled, in double precision, so that its options and not the recipe say how it is
    trained: `rounds` over all links in mini-batches of `links` at `rate`, the first `burn_in` of them at `slowed` times it.
    Every relation counts as a link from head (child) to tail (ancestor). `hyperbolic` false is the paper's Euclidean baseline:
    the same with squared Euclidean distance.

    checked: facebookresearch/poincare-embeddings@b1364a1
    Compared: loss, distance, gradient, retraction, negatives and the mammals' settings by reading, not by running.
    Differs: where few negatives exist, those found are repeated in turn and not at random; 4 tries for each, not 10.
    """

    paper = Paper("Poincaré Embeddings for Learning Hierarchical Representations", "Nickel, Kiela", 2017, "arXiv:1705.08039")
    views = Corrupted()
    similarity = "poincare"
    recipe = Recipe()
    points: Tensor
    done: Tensor

    def __init__(
        self,
        encoder: None = None,
        *,
        dim: int = 5,
        rate: float = 0.3,
        rounds: int = 300,
        burn_in: int = 20,
        slowed: float = 0.01,
        negatives: int = 50,
        links: int = 10,
        hyperbolic: bool = True,
    ):
        super().__init__()
        positive(dim=dim, rate=rate, rounds=rounds, negatives=negatives, links=links)
        shares(slowed=slowed)
        if burn_in < 0:
            raise TacitError(f"burn_in is {burn_in}; give 0 rounds or more.")
        self.dim, self.rate, self.rounds, self.burn_in, self.slowed = dim, rate, rounds, burn_in, slowed
        self.negatives, self.links, self.hyperbolic = negatives, links, hyperbolic

    def prepare(self, facts: Facts):
        entities = len(facts.more["entities"])
        self.register_buffer("points", torch.empty(entities, self.dim, dtype=torch.float64).uniform_(-INITIAL, INITIAL))
        self.register_buffer("done", torch.zeros((), dtype=torch.int64))

    def solve(self, samples):
        links = np.unique(samples.context.triples[:, [0, 2]].cpu().numpy(), axis=0)
        heads, tails = links[links[:, 0] != links[:, 1]].T.copy()
        points, entities = self.points.cpu().numpy(), len(self.points)
        begin = np.searchsorted(heads, np.arange(entities + 1))
        often = np.bincount(tails, minlength=entities) ** DAMPING
        while self.done < self.rounds:
            slow = int(self.done) < self.burn_in
            weights = often if slow else np.ones(entities)
            rate, drawn_by = self.rate * (self.slowed if slow else 1), np.cumsum(weights) / weights.sum()
            key = counter.key(samples.key, "round", int(self.done))
            order = counter.permutation(key, len(heads))
            for at in range(0, len(order), CHUNK - CHUNK % self.links):
                some = order[at : at + CHUNK - CHUNK % self.links]
                draws = counter.uniform(counter.key(key, "negatives"), some, 4 * self.negatives)
                settings = (self.negatives, self.links, rate, self.hyperbolic)
                descend(points, heads, tails, begin, some, draws, drawn_by, *settings)
            self.points.copy_(torch.from_numpy(points))
            self.done += 1
            yield

    def represent(self, batch: Batch):
        return self.points[batch.views[0][:, 0]]

    def score(self, triples: Tensor) -> Tensor:
        """Triples n × 3 -> minus the distance of head and tail."""
        return self.score_tails(triples[:, 0], triples[:, 1]).gather(1, triples[:, 2:])[:, 0]

    def score_tails(self, head: Tensor, relation: Tensor) -> Tensor:
        """Minus the distance of every entity from the heads: n × E."""
        known = self.points[head]
        return -distance(known, self.points) if self.hyperbolic else -torch.cdist(known, self.points)

    def score_heads(self, relation: Tensor, tail: Tensor) -> Tensor:
        """The same from the tails, since a distance has no direction."""
        return self.score_tails(tail, relation)
