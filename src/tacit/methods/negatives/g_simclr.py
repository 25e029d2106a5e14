"""G-SimCLR: no two samples of one pseudo-class, by k-means of an autoencoder's codes, come into one batch."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Facts, Method, Paper, Plan, Recipe, Stage
from tacit.numerics.kmeans import kmeans
from tacit.objectives.nt_xent import nt_xent
from tacit.parts.mlp import mlp
from tacit.parts.sequences.unchanged import IMAGE
from tacit.views.kinds import Fixed, Raster

PAPER = Paper(
    "G-SimCLR: Self-Supervised Contrastive Learning with Guided Projection via Pseudo Labelling",
    "Chakraborty, Gosthipaty, Paul",
    2020,
    "arXiv:2009.12007",
)
SMALL = Recipe(optimizer="adamw", lr=2e-3, batch=64, weight_decay=1e-4, warmup=1, epochs=40)
NO_GROUPS = torch.zeros(0, dtype=torch.int64)


class GSimCLR(Method):
    """A denoising autoencoder, k-means of its codes, and then SimCLR from a fresh encoder in batches of samples of different
    `clusters`, so that few negatives are of the anchor's class: as far as clusters are classes. Epochs have as many batches as
    the samples fill; small clusters come more often. The paper takes a batch's size of clusters.

    checked: ariG23498/G-SimCLR@bd77e7f
    Compared: loss and gradients over three steps, and batches, by cells of its CIFAR-10 notebook; the first stage by reading.
    Differs: no two samples of a cluster in a batch, which the notebooks' order, made once, does not keep; any encoder; two
    layers decode; no stop by the test; noise on standardised pixels; one cosine; usual views, there one a batch, uncropped.
    """

    paper, views, whole_batch = PAPER, Raster(looks=2), True
    recipe = Recipe(optimizer="sgd", lr=0.1, batch=64, momentum=0.0, epochs=15)
    recipes = {"small": SMALL}
    pseudo: Tensor

    def __init__(self, encoder: Encoder, *, dim: int = 50, temperature: float = 0.1, pseudo: Tensor = NO_GROUPS):
        super().__init__(encoder)
        positive(dim=dim, temperature=temperature)
        self.projector, self.temperature = mlp(encoder.dim, 256, 128, dim, norm=False), temperature
        self.register_buffer("pseudo", pseudo)

    @classmethod
    def stages(cls, *, clusters: int = 64, pixel_noise: float = 0.04, **own: Any):
        positive(clusters=clusters)
        first = yield Stage(DenoisingAutoencoder, pixel_noise=pixel_noise)
        pseudo, _ = kmeans(first.embed(), clusters)
        yield Stage(cls, encoder="fresh", pseudo=pseudo, **own)

    def before_epoch(self, embed: Any):
        batches, wanted = apart(self.pseudo.cpu(), self.batch_size), len(self.pseudo) // self.batch_size
        while len(batches) < wanted:
            batches += apart(self.pseudo.cpu(), self.batch_size)
        return Plan(batches=batches[:wanted])

    def step(self, batch: Batch):
        first, second = (self.projector(self.encoder(view)) for view in batch)
        return nt_xent(first, second, self.temperature)


class DenoisingAutoencoder(Method):
    """What is trained first: the picture again, from what the encoder says of it with a little noise."""

    paper, views, recipe, recipes = PAPER, Raster(of={"image": Fixed(IMAGE)}), Recipe(batch=64, epochs=15), {"small": SMALL}

    def __init__(self, encoder: Encoder, *, pixel_noise: float = 0.04):
        super().__init__(encoder)
        positive(pixel_noise=pixel_noise)
        self.pixel_noise = pixel_noise

    def prepare(self, facts: Facts):
        self.decoder = mlp(self.encoder.dim, 4 * self.encoder.dim, torch.Size(facts.shape).numel())

    def step(self, batch: Batch):
        (view,) = batch
        noisy = view + self.pixel_noise * batch.normal("noise", *view.shape[1:])
        return mse_loss(self.decoder(self.encoder(noisy)).float(), view.flatten(1))


def apart(groups: Tensor, size: int) -> list[Tensor]:
    """Positions in as many batches of one size as there can be, no two of a batch of one group, none twice; in random order.

    The groups that have most left lend a sample each, drawn evenly: int64, N -> batches.
    """
    shuffled = torch.randperm(len(groups))
    row, left = shuffled[groups[shuffled].argsort(stable=True)], groups.bincount()
    start, batches = left.cumsum(0) - left, []
    if (there := int((left > 0).sum())) < size:
        raise TacitError(f"There are {there} clusters for batches of {size}; give more --clusters.")
    while int((left > 0).sum()) >= size:
        lenders = (left + torch.rand(len(left))).topk(size).indices  # of equally many one by chance
        left[lenders] -= 1
        batches.append(row[(start + left)[lenders]])
    return [batches[place] for place in torch.randperm(len(batches)).tolist()]
