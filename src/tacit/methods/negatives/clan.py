"""CLAN: contrastive learning with augmented negatives."""

import torch
from torch import nn

from tacit.errors import positive, shares
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.objectives.augmented_negatives import augmented_negatives
from tacit.views.kinds import Values


class CLAN(Method):
    """Normal samples lie together, and whatever corruption makes of them lies away: a detector of what is not normal.

    Train it on normal rows alone. A row is the less normal the smaller its cosine with the mean of their representations,
    which are the projector's answers, not scaled to length one. Each value is replaced, with probability `corruption`, by one
    that is uniform within ± `reach` standard deviations.

    checked: jackwilkie/CLAN@b897428
    Compared: the loss, by reading and by value. The encoder there is a residual perceptron of 4 × 1024 without norms:
    `--norms false` takes them out of ours, which is not residual.
    Differs: clean and corrupted rows are two batches to an encoder's norms, there one; batches are drawn without replacement.
    """

    paper = Paper(
        "Contrastive Self-Supervised Network Intrusion Detection using Augmented Negative Pairs",
        "Wilkie, Hindy, Tachtatzis, Atkinson",
        2025,
        "arXiv:2509.06550",
    )
    views = Values(of={"table": {"corrupt": 0.0}, "vector": {"noise": 0.0, "drop": 0.0}})
    whole_batch = True
    recipe = Recipe(optimizer="adamw", lr=1e-4, batch=8192, warmup=20, epochs=200, final_lr=0.01)
    recipes = {"small": Recipe(optimizer="adamw", lr=1e-3, batch=512, warmup=2, epochs=40, final_lr=0.01)}

    def __init__(
        self,
        encoder: Encoder,
        *,
        dim: int = 64,
        margin: float = 0.5,
        alpha: float = 0.5,
        corruption: float = 0.1,
        reach: float = 1.7,
    ):
        super().__init__(encoder)
        positive(dim=dim, margin=margin, reach=reach)
        shares(alpha=alpha, corruption=corruption)
        self.projector = nn.Linear(encoder.dim, dim)
        self.margin, self.alpha, self.corruption, self.reach = margin, alpha, corruption, reach

    def step(self, batch: Batch):
        (clean,) = batch
        replaced = batch.uniform("which", *clean.shape[1:]) < self.corruption
        value = (2 * batch.uniform("value", *clean.shape[1:]) - 1) * self.reach
        corrupted = torch.where(replaced, value, clean)
        near, far = (self.projector(self.encoder(rows)) for rows in (clean, corrupted))
        return augmented_negatives(near, far, self.margin, self.alpha)

    def represent(self, batch: Batch):
        return self.projector(self.encoder(batch.views[0]))
