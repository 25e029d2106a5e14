"""ClusterFit: what a fresh network learns of another's features from their clusters alone."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Facts, Method, Paper, Recipe, Stage
from tacit.numerics.exact import unit
from tacit.numerics.kmeans import kmeans
from tacit.views.kinds import Plain, Single

PAPER = Paper(
    "ClusterFit: Improving Generalization of Visual Representations",
    "Yan, Misra, Gupta, Ghadiyaram, Mahajan",
    2020,
    "arXiv:1912.03330",
)
COLOUR = {"jitter": 1.0, "brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.2, "grey": 0.0, "blur": 0.0}
ROUNDS = 50


class ClusterFit(Method):
    """A new encoder learns which of `clusters` the directions of another's features fall into, found once, and nothing else.

    The other one is what the run begins with: give a trained one as --init, of whatever it was trained by.

    checked: facebookresearch/vissl@09270ed
    Compared: clusters of features of unlike lengths by its own cluster_features, with faiss; the loss by reading.
    Differs: k-means of all samples, there of some; both encoders are of one kind; the authors published no code of their own,
    and vissl's reproduction lets biases decay.
    """

    paper = PAPER
    views = Single(of={"image": COLOUR})
    recipe = Recipe(optimizer="sgd", lr=0.1, scale="linear", batch=256, weight_decay=1e-4, warmup=5, epochs=105).but(
        schedule="step", milestones=(30 / 105, 60 / 105, 90 / 105, 100 / 105)
    )
    small = Recipe(optimizer="adamw", lr=1e-3, batch=128, weight_decay=1e-4, warmup=1, epochs=40)
    recipes = {"small": small.but(options={"clusters": 128})}
    assigned: Tensor

    def __init__(self, encoder: Encoder, *, codes: Tensor):
        super().__init__(encoder)
        self.head, self.codes = nn.Linear(encoder.dim, int(codes.max()) + 1), codes

    @classmethod
    def stages(cls, *, clusters: int = 16_000, **own: Any):
        positive(clusters=clusters)
        trained = yield Stage(Teacher)
        yield Stage(cls, encoder="fresh", codes=clustered(trained.embed(), clusters), **own)

    def prepare(self, facts: Facts):
        self.register_buffer("assigned", self.codes)

    def step(self, batch: Batch):
        return cross_entropy(self.head(self.encoder(batch.views[0])).float(), self.assigned[batch.index])


class Teacher(Method):
    """An encoder as it is."""

    paper, views = PAPER, Plain()

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)

    def solve(self, samples: Any) -> Iterator[None]:
        yield


def clustered(z: Tensor, clusters: int) -> Tensor:
    """The cluster of each row's direction: n × d -> int64, n."""
    if not 2 <= clusters <= len(z):
        raise TacitError(f"clusters is {clusters}; give from 2 to the {len(z)} samples that there are.")
    return kmeans(unit(z), clusters, ROUNDS)[0].unique(return_inverse=True)[1]
