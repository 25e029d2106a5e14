"""MLC: codes of what lies on curved sheets are laid into flat ones, which are found with them, by the rates of codes."""

import torch
from torch import Tensor

from tacit.errors import positive, shares
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather
from tacit.numerics.sinkhorn import doubly_stochastic
from tacit.objectives.rates.coding_rate import coding_rate, group_rate
from tacit.parts.mlp import mlp
from tacit.views.kinds import Pair


class MLC(Method):
    """The coding rate of all codes is to be large, that of each group's small. Each column of a doubly stochastic matrix of how
    alike samples are is a group, by the cosines of a second head.

    Codes of two looks are averaged and put back on the sphere, their matrices averaged. For the share `warm_up` of the
    training the rate of the codes' means is to be large and looks are to agree in direction, up to sign, `agreement` times as
    much; the second head is a copy of the first. `sharpness` (η) is the temperature of memberships, `epsilon` the square of
    the rates' ε. Spectral clustering of `memberships` gives the groups.

    unverified: the authors' code was not to be had; η, ε, the weight of agreement, the heads' widths and the recipe are not
    theirs but a guess, and so is that warm-up and training are one run of one schedule.
    Compared: rates and memberships with LeslieTrue/CPP@cb39bdc, whose they are too, but for halves and absolute values.
    """

    paper = Paper(
        "Unsupervised Manifold Linearizing and Clustering", "Ding, Tong, Chan, Dai, Ma, Haeffele", 2023, "arXiv:2301.01805"
    )
    views = Pair()
    whole_batch = True
    recipe = Recipe(optimizer="lars", lr=0.3, scale="linear", batch=1024, weight_decay=1e-4, warmup=10, epochs=500)
    recipes = {"small": Recipe(lr=2e-3, batch=256, weight_decay=1e-4, warmup=2, epochs=40, options={"dim": 64, "hidden": 512})}

    def __init__(
        self,
        encoder: Encoder,
        *,
        dim: int = 128,
        hidden: int = 4096,
        sharpness: float = 0.175,
        epsilon: float = 0.1,
        agreement: float = 100.0,
        warm_up: float = 0.5,
    ):
        super().__init__(encoder)
        positive(dim=dim, hidden=hidden, sharpness=sharpness, epsilon=epsilon, agreement=agreement)
        shares(warm_up=warm_up)
        self.feature_head, self.cluster_head = (mlp(encoder.dim, hidden, dim) for _ in range(2))
        self.sharpness, self.epsilon, self.agreement, self.warm_up = sharpness, epsilon, agreement, warm_up

    def step(self, batch: Batch):
        said = [self.encoder(view) for view in batch]
        first, second = (gather(unit(self.feature_head(h))) for h in said)
        among = torch.stack([self.memberships(gather(self.cluster_head(h))) for h in said]).mean(0)
        mean = (first + second) / 2
        if self.progress <= self.warm_up:
            agreed = (first * second).sum(1).abs().mean()
            held = {"memberships": (among.square().sum(), 0.0)}  # told, as both heads are always asked
            return {"rate": (coding_rate(mean, self.epsilon), -2.0), "agreed": (agreed, -self.agreement)} | held
        z = unit(mean)
        gathered = group_rate(z, among, among.new_ones(len(among)), self.epsilon)  # whose columns sum to 1
        return {"rate": (coding_rate(z, self.epsilon), -2.0), "group_rate": (gathered, 2.0)}

    def memberships(self, c: Tensor) -> Tensor:
        """How much sample i is of group j, by what the second head says of all: n × dim -> n × n."""
        with full_precision():
            c = unit(c)
            return doubly_stochastic(c @ c.T, self.sharpness)

    def after_step(self, batch: Batch):
        if self.progress <= self.warm_up:
            self.cluster_head.load_state_dict(self.feature_head.state_dict())
            self.renew(self.cluster_head)

    def represent(self, batch: Batch):
        return unit(self.feature_head(self.encoder(batch.views[0])))
