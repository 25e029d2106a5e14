"""CPP: codes of frozen features are spread as a whole and gathered in groups, which are found with them."""

from torch import Tensor, nn

from tacit.errors import positive, shares
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather
from tacit.numerics.sinkhorn import doubly_stochastic
from tacit.objectives.rates.coding_rate import coding_rate, group_rate
from tacit.views.kinds import Plain

EPSILON = 0.1  # of the rates


class CPP(Method):
    """The coding rate of all codes is to be large, that of each group's small. Each column of a doubly stochastic matrix of how
    alike samples are is a group, by the absolute cosines of a second head.

    For vectors of a frozen encoder, as `tacit embed` writes them: the encoder here is the perceptron on them. For the share
    `warm_up` of the training codes are only spread, and the second head is a copy of the first. `sharpness` (η) is the
    temperature of memberships and `penalty` weighs their squares. Spectral clustering of `memberships` gives the groups,
    `objectives.rates.coding_rate.coding_length` their number.

    checked: LeslieTrue/CPP@cb39bdc
    Compared: memberships, both rates, loss, gradients and the coding length, by its own layers.
    Differs: the batch of all processes counts, there each device's; the warm-up is a share, there steps; norms and biases do
    not decay; groups are not named by texts.
    """

    paper = Paper(
        "Image Clustering via the Principle of Rate Reduction in the Age of Pretrained Models",
        "Chu, Tong, Ding, Dai, Haeffele, Vidal, Ma",
        2024,
        "arXiv:2306.05272",
    )
    views = Plain()
    whole_batch = True
    recipe = Recipe(optimizer="sgd", lr=1e-4, batch=1024, weight_decay=1e-4, schedule="constant", epochs=15)
    recipes = {"small": Recipe(lr=1e-3, batch=256, weight_decay=1e-4, epochs=20, options={"dim": 64, "warm_up": 0.2})}

    def __init__(
        self, encoder: Encoder, *, dim: int = 128, sharpness: float = 0.175, penalty: float = 0.05, warm_up: float = 0.07
    ):
        super().__init__(encoder)
        positive(dim=dim, sharpness=sharpness)
        shares(penalty=penalty, warm_up=warm_up)
        self.feature_head, self.cluster_head = nn.Linear(encoder.dim, dim), nn.Linear(encoder.dim, dim)
        self.sharpness, self.penalty, self.warm_up = sharpness, penalty, warm_up

    def groups(self):
        return {"cluster_head": {"weight_decay": 5e-3}}

    def step(self, batch: Batch):
        trunk = self.encoder(batch.views[0]).relu()
        z, among = gather(unit(self.feature_head(trunk))), self.memberships(gather(self.cluster_head(trunk)))
        squares = among.square().sum() / 2
        if self.progress <= self.warm_up:
            return {"rate": -coding_rate(z, EPSILON), "squares": (squares, 0.0)}
        return {
            "rate": -coding_rate(z, EPSILON),
            "group_rate": group_rate(z, among, among.sum(0), EPSILON),
            "squares": (squares, self.penalty),
        }

    def memberships(self, c: Tensor) -> Tensor:
        """How much sample i is of group j, by what the second head says of all: n × dim -> n × n."""
        with full_precision():
            c = unit(c)
            return doubly_stochastic((c @ c.T).abs(), self.sharpness)

    def after_step(self, batch: Batch):
        if self.progress <= self.warm_up:
            self.cluster_head.load_state_dict(self.feature_head.state_dict())
            self.renew(self.cluster_head)

    def represent(self, batch: Batch):
        return unit(self.feature_head(self.encoder(batch.views[0]).relu()))
