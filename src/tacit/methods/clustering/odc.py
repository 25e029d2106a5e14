"""ODC: clusters that move with every batch, in place of clustering anew."""

from typing import Any

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Encoder, Facts, Method, Paper, Recipe
from tacit.numerics.processes import size, total
from tacit.parts.clusters.online import OnlineClusters
from tacit.views.kinds import Single

COLOUR = {"jitter": 1.0, "brightness": 0.4, "contrast": 0.4, "saturation": 1.0, "hue": 0.5, "blur": 0.0}


class ODC(Method):
    """Each sample tells the cluster in which its slowly moving feature lies; that cluster is found anew whenever it is seen.

    k-means at the beginning and never again: centroids follow the features every `recentred` batches, after every batch
    clusters of fewer than `least_members` are dissolved and the largest halved in their place. A sample weighs as the inverse
    square root of its cluster's size. `dropped` is the share of the hidden units that are left out.

    checked: open-mmlab/OpenSelfSup@1db69ec
    Compared: features, clusters, centroids, small clusters and the weighted loss, by its own ODCMemory and set_reweight.
    Differs: a constant rate, which there falls to 0.4 in its last tenth; biases begin as torch has them; no turns by 2 degrees.
    """

    paper = Paper(
        "Online Deep Clustering for Unsupervised Representation Learning",
        "Zhan, Xie, Liu, Ong, Loy",
        2020,
        "arXiv:2006.10645",
    )
    views = Single(of={"image": COLOUR})
    whole_batch = True
    recipe = Recipe(optimizer="sgd", lr=0.06, batch=512, weight_decay=1e-5, schedule="constant", epochs=440)
    small = Recipe(optimizer="adamw", lr=1e-3, batch=128, weight_decay=1e-4, warmup=1, epochs=40)
    recipes = {"small": small.but(options={"clusters": 64, "least_members": 10})}

    def __init__(
        self,
        encoder: Encoder,
        *,
        clusters: int = 10_000,
        dim: int = 256,
        hidden: int = 512,
        inertia: float = 0.5,
        least_members: int = 20,
        recentred: int = 10,
        dropped: float = 0.5,
    ):
        super().__init__(encoder)
        positive(clusters=clusters, dim=dim, hidden=hidden, least_members=least_members, recentred=recentred)
        shares(inertia=inertia)
        if not 0 <= dropped < 1:
            raise TacitError(f"dropped is {dropped}; it must lie in [0, 1).")
        self.first, self.norm = nn.Linear(encoder.dim, hidden), nn.BatchNorm1d(hidden, momentum=0.001, affine=False)
        self.second, self.head = nn.Linear(hidden, dim), nn.Linear(dim, clusters)
        for layer in (self.first, self.second):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.normal_(self.head.weight, std=0.01)
        self.clusters, self.dim, self.inertia, self.least = clusters, dim, inertia, least_members
        self.recentred, self.dropped = recentred, dropped

    def prepare(self, facts: Facts):
        if (fewest := self.clusters * self.least) > facts.n:
            raise TacitError(f"Clusters take {fewest} of the {facts.n} samples; give fewer --clusters or --least-members.")
        self.memory = OnlineClusters(facts.n, self.clusters, self.dim, 1 - self.inertia, self.least)

    def before_epoch(self, embed: Any):
        if not self.memory.begun:
            self.memory.begin(embed(how=lambda batch: self.feature(batch, 0.0)).to(self.memory.features))

    def feature(self, batch: Batch, dropped: float) -> Tensor:
        """What is remembered and classified: n × dim, none below 0."""
        hidden = self.norm(self.first(self.encoder(batch.views[0]))).relu()
        if dropped:
            hidden = hidden * (batch.uniform("dropped", hidden.shape[1]) >= dropped) / (1 - dropped)
        return self.second(hidden).relu()

    def step(self, batch: Batch):
        z, labels = self.feature(batch, self.dropped), self.memory.labels[batch.index]
        batch.keep(z=z)
        weight = (self.memory.sizes() + 1e-5).rsqrt()[labels]
        each = weight * cross_entropy(self.head(z).float(), labels, reduction="none")
        return each.sum() * size() / total(weight.sum())

    def after_step(self, batch: Batch):
        self.memory.update(batch.index, batch.kept["z"])
        if int(self.memory.steps) % self.recentred == 0:
            self.memory.recentre()
        self.memory.dissolve()

    def groups(self):
        return {"head": {"momentum": 0.0}}
