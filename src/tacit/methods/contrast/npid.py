"""NPID: instance discrimination against a memory of every sample."""

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Facts, Method, Paper, Recipe
from tacit.objectives.instance import instance_nce, instance_softmax
from tacit.parts.bank import Bank
from tacit.views.kinds import Single

COLOUR = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.4}


class NPID(Method):
    """Every sample is a class of its own, and its prototype is what the encoder said of it last.

    `negatives` is the number of noise entries m of the noise-contrastive estimate; 0 takes the full softmax over the
    bank (equation 2), which the released CIFAR-10 run uses and which is affordable up to some 10^5 samples. `inertia` is
    how much of a bank entry stays when it moves.

    checked: zhirongw/lemniscate.pytorch@f7cfe29
    Compared: loss, gradient, partition constant and bank, with noise-contrastive estimation and with the full softmax.
    Differs: the paper's proximal term is not in the released code, whose stabiliser, a bank that moves by halves, is
    what stands here; the released code lets norms and biases decay too.
    """

    paper = Paper(
        "Unsupervised Feature Learning via Non-Parametric Instance-level Discrimination",
        "Wu, Xiong, Yu, Lin",
        2018,
        "arXiv:1805.01978",
    )
    views = Single(of={"image": {"crop": (0.2, 1.0), "jitter": 1.0, "blur": 0.0, **COLOUR}})
    recipe = Recipe(optimizer="sgd", lr=0.03, batch=256, weight_decay=1e-4, epochs=200, schedule="step", milestones=(0.6, 0.8))
    recipes = {
        "small": Recipe(
            optimizer="adamw",
            lr=1e-3,
            batch=128,
            weight_decay=1e-4,
            warmup=1,
            epochs=40,
            options={"negatives": 0, "temperature": 0.1},
        )
    }
    partition: Tensor

    def __init__(
        self, encoder: Encoder, *, dim: int = 128, temperature: float = 0.07, negatives: int = 4096, inertia: float = 0.5
    ):
        super().__init__(encoder)
        positive(dim=dim, temperature=temperature)
        if negatives < 0 or not 0 <= inertia < 1:
            raise TacitError(f"negatives is {negatives} and inertia {inertia}; give 0 or more, and a share in [0, 1).")
        self.projector = nn.Linear(encoder.dim, dim)
        self.dim, self.temperature, self.negatives, self.inertia = dim, temperature, negatives, inertia
        self.register_buffer("partition", torch.zeros(()))

    def prepare(self, facts: Facts):
        self.bank = Bank(facts.n, self.dim, self.inertia)

    def step(self, batch: Batch):
        (view,) = batch
        z = self.projector(self.encoder(view))
        batch.keep(z=z)
        if self.negatives == 0:
            return instance_softmax(z, self.bank.features, batch.index, self.temperature)
        n = len(self.bank.features)
        noise = (batch.uniform("noise", self.negatives) * n).long().clamp(max=n - 1)  # with replacement, as published
        entries = self.bank.features[torch.cat([batch.index[:, None], noise], 1)]
        loss, partition = instance_nce(z, entries, n, self.temperature, self.partition)
        self.partition.copy_(partition)  # set by the first batch, constant from then on
        return loss

    def after_step(self, batch: Batch):
        self.bank.update(batch.index, batch.kept["z"])
