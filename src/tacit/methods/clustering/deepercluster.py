"""DeeperCluster: which way up an image is, and in which of the clusters within clusters that the features form."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Facts, Method, Paper, Plan, Recipe
from tacit.numerics.exact import unit
from tacit.numerics.kmeans import kmeans
from tacit.numerics.spectra import whitened
from tacit.parts.images.turns import TURNS, turned
from tacit.views.kinds import Raster

ROUNDS = 10


class DeeperCluster(Method):
    """One head tells turn and super-cluster of an image at once; for each pair of these another tells the cluster within.

    Every `refresh` epochs the features, whitened on `components` principal axes and brought to length one, fall into
    `super_clusters`, each of those into its share of `clusters`, and the heads begin anew. Images are drawn so that all
    super-clusters, and all clusters within one, are seen alike; each is turned by 0 to 3 quarters.

    checked: facebookresearch/DeeperCluster@d38ada1
    Compared: whitened features, clusters from given centroids and how often an image is drawn, by its own PCA,
    distributed_kmeans and DistUnifTargSampler; both losses and the heads' gradients by reading.
    Differs: images are drawn with replacement; k-means begins by k-means++, and what has no member takes the farthest sample;
    super-cluster and turn of an image are drawn, there each process has its own; no Sobel filter, any encoder for VGG-16. The
    paper begins with RotNet's weights: give a run of it as --init.
    """

    paper = Paper(
        "Unsupervised Pre-Training of Image Features on Non-Curated Data",
        "Caron, Bojanowski, Mairal, Joulin",
        2019,
        "arXiv:1905.01278",
    )
    views = Raster(of={"image": {"jitter": 0.0, "grey": 0.0, "blur": 0.0}})
    recipe = Recipe(optimizer="sgd", lr=0.1, batch=3072, weight_decay=1e-5, schedule="constant", epochs=100)
    small = Recipe(optimizer="adamw", lr=1e-3, batch=128, weight_decay=1e-4, warmup=1, epochs=40)
    recipes = {"small": small.but(options={"clusters": 128})}
    assigned: Tensor
    begun: Tensor

    def __init__(
        self, encoder: Encoder, *, super_clusters: int = 4, clusters: int = 320_000, refresh: int = 3, components: int = 4096
    ):
        super().__init__(encoder)
        positive(super_clusters=super_clusters, refresh=refresh, components=components)
        if clusters < 2 * super_clusters:
            raise TacitError(f"clusters is {clusters}; give at least two for each of the {super_clusters} super-clusters.")
        self.above, self.within = super_clusters, clusters // super_clusters
        self.refresh, self.components, self.pairs = refresh, components, TURNS * super_clusters
        self.head = nn.Linear(encoder.dim, self.pairs)
        self.heads_within = nn.Linear(encoder.dim, self.pairs * self.within)
        self.register_buffer("begun", torch.zeros((), dtype=torch.int64))  # epochs, this one included

    def prepare(self, facts: Facts):
        if (k := self.above * self.within) > facts.n:
            raise TacitError(f"There are {k} clusters for {facts.n} samples; give --clusters {max(facts.n // 10, 2)}.")
        self.register_buffer("assigned", torch.zeros(facts.n, 2, dtype=torch.int64))

    def before_epoch(self, embed: Any):
        if int(self.begun) % self.refresh == 0:
            self.assigned.copy_(two_levels(unit(whitened(embed(), self.components)), self.above, self.within))
            for head in (self.head, self.heads_within):
                head.reset_parameters()
                self.renew(head)
        self.begun += 1
        return Plan(weights=alike(self.assigned.cpu()))

    def step(self, batch: Batch):
        turn = (batch.uniform("turn", 1)[:, 0] * TURNS).long()
        row = torch.arange(len(batch), device=turn.device)
        x = self.encoder(turned(batch.views[0], turn)).relu()
        above, within = self.assigned[batch.index].unbind(1)
        pair = turn * self.above + above
        # the mean over its own images, 1 of `pairs`, moves a head, as where each has a process to itself
        weight, bias = (p + (self.pairs - 1) * (p - p.detach()) for p in self.heads_within.parameters())
        told = linear(x, weight, bias).unflatten(1, (self.pairs, -1))[row, pair]
        return {"super_cluster": cross_entropy(self.head(x).float(), pair), "cluster": cross_entropy(told.float(), within)}


def two_levels(z: Tensor, above: int, within: int) -> Tensor:
    """The cluster of each row, and within it the cluster of its own: n × d -> int64, n × 2."""
    found = kmeans(z, above, ROUNDS)[0].repeat(2, 1).T.contiguous()
    for one in found[:, 0].unique():
        rows = (found[:, 0] == one).nonzero()[:, 0]
        found[rows, 1] = kmeans(z[rows], min(within, len(rows)), ROUNDS)[0]
    return found


def alike(assigned: Tensor) -> Tensor:
    """How often each row is to be drawn for its super-clusters, and clusters within one, to be drawn alike: n × 2 -> n."""
    cells, cell, size = assigned.unique(dim=0, return_inverse=True, return_counts=True)
    return 1 / (size[cell] * cells[:, 0].bincount()[assigned[:, 0]]).double()
