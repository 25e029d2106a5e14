"""ClusterNS: clusters of the batch say which negatives are too easy, and which are none."""

import torch
from torch import Tensor

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.numerics.exact import unit
from tacit.numerics.processes import gather, mine
from tacit.objectives.n_pair import n_pair
from tacit.objectives.text.extra_negatives import extra_negatives
from tacit.objectives.text.margin_band import margin_band
from tacit.parts.sequences.unchanged import TEXT
from tacit.parts.text.moving_clusters import MovingClusters
from tacit.parts.text.sentence_head import sentence_head
from tacit.views.kinds import Pair


class ClusterNS(Method):
    """SimCSE, with the second-nearest centroid of each text as a further negative of all, and others of its cluster kept near.

    Clusters begin once the mean cosine of a batch is `start` or less; until then it is SimCSE. Cosines of texts of one cluster
    are to be from `low` to `high` below that of the positive (a loss weighed by `margin`). Numbers are those of BERT.

    checked: djz233/ClusterNS@84cbd49
    Differs: clusters begin after the step whose batch is that unlike, not within it; nothing stops early by scores of STS-B;
    what the encoder gives goes to the head, of the native ones a mean of tokens; the rate falls by a cosine.
    """

    paper = Paper(
        "Clustering-Aware Negative Sampling for Unsupervised Sentence Representation",
        "Deng, Wan, Yang, Quan, Wang",
        2023,
        "arXiv:2305.09892",
    )
    views = Pair(of={"text": TEXT})
    whole_batch = True
    recipe = Recipe(optimizer="adamw", lr=5e-5, batch=256, epochs=1, clip=1.0)
    recipes = {"small": Recipe(optimizer="adamw", lr=1e-3, batch=256, epochs=5, warmup=0.5, clip=1.0)}

    def __init__(
        self, encoder: Encoder, *, temperature: float = 0.05, clusters: int = 128, start: float = 0.4,
        cluster_rate: float = 1e-3, margin: float = 1e-3, low: float = 0.0, high: float = 0.3,
    ):  # fmt: skip
        super().__init__(encoder)
        positive(temperature=temperature)
        if clusters < 2 or not 0 < cluster_rate <= 1 or margin < 0 or not 0 <= low <= high:
            raise TacitError(
                f"clusters is {clusters}, cluster_rate {cluster_rate}, margin {margin}, low {low} and high {high}; give 2 "
                "clusters or more, a rate above 0 and up to 1, a weight of 0 or more, and 0 <= low <= high."
            )
        self.projector = sentence_head(encoder.dim)
        self.clusters = MovingClusters(clusters, encoder.dim, cluster_rate)
        self.temperature, self.start, self.margin, self.low, self.high = temperature, start, margin, low, high

    def step(self, batch: Batch):
        first, second = (self.projector(self.encoder(view)) for view in batch)
        batch.keep(first=first, second=second)
        if not self.clusters.begun:
            return {"contrast": n_pair(unit(first)[None], unit(second)[None], 1 / self.temperature)}
        everyone = gather(first.detach()).float()
        hard, same = self._told(everyone)
        own = mine(len(first), first.device)
        cosines = unit(first) @ gather(unit(second)).T
        counts = torch.ones_like(cosines, dtype=torch.bool)
        return {
            "contrast": extra_negatives(first, second, hard, counts, self.temperature),
            "margin": (
                margin_band(cosines, cosines.gather(1, own[:, None])[:, 0], same[own], self.low, self.high),
                self.margin,
            ),
        }

    def _told(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """By centroids that have followed z, N × d: the second-nearest of each, N × d, and who shares a cluster, bool N × N."""
        centroids = self.clusters.moved(z)
        near = (unit(z) @ unit(centroids).T).topk(2).indices
        same = near[:, :1] == near[:, 0]
        return centroids[near[:, 1]], same.fill_diagonal_(False)

    def after_step(self, batch: Batch):
        first, second = batch.kept["first"].float(), batch.kept["second"]
        if self.clusters.begun:
            self.clusters.centroids.copy_(self.clusters.moved(first))
            return
        cosines = unit(first) @ unit(second).T
        if float(cosines.mean()) <= self.start:
            self.clusters.begin(first, cosines)
