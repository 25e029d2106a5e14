"""MCL: several stages of contrast, each among samples that all earlier stages find alike."""

from typing import Any

import torch
from torch import Tensor

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Method, Paper, Plan, Recipe, Stage
from tacit.numerics.exact import unit
from tacit.numerics.kmeans import kmeans
from tacit.objectives.nt_xent import nt_xent
from tacit.parts.mlp import mlp
from tacit.parts.wrappers.earlier import Earlier, packed
from tacit.views.kinds import Pair

NO_GROUPS, NO_ENCODERS = torch.zeros(0, dtype=torch.int64), torch.zeros(0, 1, dtype=torch.float64)


class MCL(Method):
    """SimCLR in `rounds` stages, from a fresh encoder each, whose answers together are the representation.

    After a stage its encoder's answers are clustered, and from then on all samples of a batch share all their `clusters`:
    what an encoder has learned tells no negatives of the next one apart. So up to clusters^(rounds − 1) groups arise, and
    groups that fill no batch are left out.

    checked: MajorDavidZhang/MCL@cab98c1
    Compared: how many batches each group gives and in which order they come, by its own MCL_batch_sampler_DDP.
    Differs: SimCLR on all views there are, which the paper has too but published no code of; there CLIP with texts, its first
    stage trained by others; clusters by Lloyd's k-means, there by mini-batches; labels of all stages are joined as in the
    paper, where the code reads the last stage's for all of them.
    """

    paper = Paper(
        "Learning the Unlearned: Mitigating Feature Suppression in Contrastive Learning",
        "Zhang, Lan, Qu, Cheng, Feng, Hooi",
        2024,
        "arXiv:2402.11816",
    )
    views = Pair()
    whole_batch = True
    recipe = Recipe(optimizer="lars", lr=0.3, scale="linear", batch=4096, weight_decay=1e-6, warmup=10, epochs=100)
    recipes = {
        "small": Recipe(optimizer="adamw", lr=2e-3, batch=256, weight_decay=1e-4, warmup=2, epochs=40, options={"clusters": 4})
    }

    def __init__(
        self,
        encoder: Encoder,
        *,
        dim: int = 128,
        temperature: float = 0.1,
        alike: Tensor = NO_GROUPS,
        earlier: Tensor = NO_ENCODERS,
    ):
        super().__init__(encoder)
        positive(dim=dim, temperature=temperature)
        self.projector, self.temperature = mlp(encoder.dim, encoder.dim, dim, last_norm=True), temperature
        self.earlier, self.alike = Earlier(encoder, earlier), alike  # the group of each sample, for the plan alone

    @classmethod
    def stages(cls, *, rounds: int = 3, clusters: int = 10, **own: Any):
        positive(rounds=rounds, clusters=clusters)
        groups, earlier = NO_GROUPS, [NO_ENCODERS]
        for left in reversed(range(rounds)):
            trained = yield Stage(cls, encoder="fresh", alike=groups, earlier=torch.cat(earlier), **own)
            if left:
                encoder: Any = trained.method.encoder
                labels, _ = kmeans(unit(trained.embed(how=lambda batch: encoder(batch.views[0]))), clusters)  # noqa: B023
                groups = labels if not len(groups) else (groups * clusters + labels).unique(return_inverse=True)[1]
                earlier = [*(row for row in earlier if len(row)), packed(encoder)]

    def before_epoch(self, embed):
        if len(self.alike):
            return Plan(batches=by_group(self.alike, self.batch_size))

    def step(self, batch: Batch):
        first, second = (self.projector(self.encoder(view)) for view in batch)
        return nt_xent(first, second, self.temperature)

    def represent(self, batch: Batch):
        return unit(torch.cat([*self.earlier(batch.views[0]), self.encoder(batch.views[0])], 1))


def by_group(groups: Tensor, size: int) -> list[Tensor]:
    """Positions in batches of one size, all of one group each, which take turns while they have any; int64, N -> batches."""
    shuffled = torch.randperm(len(groups))
    whole = [rows.split(size) for rows in (shuffled[groups[shuffled] == group] for group in groups.unique())]
    turns = [(turn, rows) for batches in whole for turn, rows in enumerate(batches) if len(rows) == size]
    if not turns:
        raise TacitError(
            f"No group of samples that are alike fills a batch of {size}; give a smaller --batch, fewer --clusters or --rounds."
        )
    return [rows for _, rows in sorted(turns, key=lambda one: one[0])]
