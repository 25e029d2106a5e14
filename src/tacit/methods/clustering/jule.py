"""JULE: clusters merge along neighbours, and between mergers a network learns to keep them together and apart."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Encoder, Facts, Method, Paper, Recipe, Stop
from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather, mine, total
from tacit.numerics.processes import size as processes
from tacit.parts.clusters.agglomerative import affinities, agglomerated, chains, merged
from tacit.parts.sequences.unchanged import UNCHANGED
from tacit.views.kinds import Values


class JULE(Method):
    """From chains of nearest samples a `share` of the clusters merges every `merged_every` epochs, until `clusters` are left.

    Between, samples of one cluster are nearer by `margin` than samples of others of the batch (`pull` weighs their own
    distance). At last all is merged anew by what was learned, and training ends; the clusters are `assigned`. Squares of the
    first number of clusters, about a third of the samples, and cubes of the batch are held.

    checked: jwyang/JULE.torch@69bdfd8
    Compared: affinities, chains, mergers, losses and gradients by its own Lua and C, run by Torch 7; the rest by reading.
    Differs: gradient reaches all three of a triplet, where with `pull` 1 the code's in-place product leaves the anchor's alone;
    all others of a batch are negatives, there up to 20 drawn; of more than 100 clusters the nearest are sought among all, there
    among those before it; clusters that reach no other are not joined first; chains may be longer than 50; a constant rate;
    pixels are standardised; any encoder, and a linear layer, for its convolutions.
    """

    paper = Paper(
        "Joint Unsupervised Learning of Deep Representations and Image Clusters",
        "Yang, Parikh, Batra",
        2016,
        "arXiv:1604.03628",
    )
    views = Values(of=UNCHANGED)
    whole_batch = True
    recipe = Recipe(optimizer="sgd", lr=0.01, batch=100, weight_decay=5e-5, schedule="constant", epochs=1000)
    assigned: Tensor
    begun: Tensor

    def __init__(
        self,
        encoder: Encoder,
        *,
        clusters: int = 10,
        dim: int = 160,
        merged_every: int = 20,
        share: float = 0.9,
        neighbours: int = 20,
        margin: float = 0.2,
        pull: float = 1.0,
    ):
        super().__init__(encoder)
        positive(
            clusters=clusters, dim=dim, merged_every=merged_every, share=share, neighbours=neighbours, margin=margin, pull=pull
        )
        shares(share=share)
        self.projector, self.clusters = nn.Linear(encoder.dim, dim), clusters
        self.merged_every, self.share, self.neighbours, self.margin, self.pull = merged_every, share, neighbours, margin, pull
        self.register_buffer("begun", torch.zeros((), dtype=torch.int64))  # epochs, this one included

    def prepare(self, facts: Facts):
        if self.clusters >= facts.n:
            raise TacitError(f"clusters is {self.clusters} of {facts.n} samples; give fewer.")
        self.register_buffer("assigned", torch.zeros(facts.n, dtype=torch.int64))

    def before_epoch(self, embed: Any):
        epoch, labels = int(self.begun), self.assigned.cpu()
        self.begun += 1
        if epoch % self.merged_every:
            return None
        if epoch == 0:
            labels = chains(unit(embed(how=lambda batch: batch.views[0].flatten(1).float())))
        else:
            z, count = unit(embed(how=self.said)), int(labels.max()) + 1
            times = min(math.ceil(self.share * count), count - self.clusters)
            labels = merged(affinities(z, self.neighbours), labels, times)
            if count - times == self.clusters:
                labels = agglomerated(z, self.clusters, self.neighbours, self.share)
        self.assigned.copy_(labels)
        return Stop(f"{self.clusters} clusters are left.") if int(labels.max()) + 1 <= self.clusters else None

    def said(self, batch: Batch) -> Tensor:
        return self.projector(self.encoder(batch.views[0]))

    def step(self, batch: Batch):
        z, labels = unit(self.said(batch)), self.assigned[batch.index]
        everyone, of, row = gather(z), gather(labels), mine(len(z), z.device)
        with full_precision():
            squared = 2 - 2 * z @ everyone.T
        same = labels[:, None] == of
        once = same & (row[:, None] < torch.arange(len(of), device=row.device))
        triplet = once[:, :, None] & ~same[:, None, :]
        each = (self.pull * squared[:, :, None] - squared[:, None, :] + self.margin).relu() * triplet
        return each.sum() * processes() / total(triplet.sum().float()).clamp_min(1)
