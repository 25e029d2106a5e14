"""MYOW: a sample predicts its neighbours too, mined where the teacher puts them."""

from torch import Tensor, nn

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.numerics.exact import unit
from tacit.numerics.processes import gather, mine
from tacit.numerics.topk import nearest
from tacit.objectives.prediction import cosine_distance
from tacit.parts.looks import ONE_LOOK
from tacit.parts.mlp import mlp
from tacit.parts.teacher import Teacher, rising
from tacit.views.kinds import Pair


class MYOW(Method):
    """BYOL, and beside it each sample predicts, by a second projector on the first, the target of one of its `neighbours`.

    Those are the samples of the batch, itself left out, whose targets are nearest to its answer by the encoder; one of them is
    drawn. The weight of the second prediction is 0 until the share `ramp[0]` of the training and `weight` from `ramp[1]` on.

    checked: nerdslab/myow@73f2b43
    Compared: mined neighbours, both terms and gradients by its own model, with a sample's own look put out of the pool.
    Differs: neighbours are sought for one of the two looks among the others of the batch, there for looks of their own, which
    are cropped alone, among a second batch of as many, in which on CIFAR a sample's own look lies; no biases before norms.
    """

    paper = Paper(
        "Mine Your Own vieW: Self-Supervised Learning Through Across-Sample Prediction",
        "Azabou et al.",
        2021,
        "arXiv:2102.10106",
    )
    views = Pair(of={"image": ONE_LOOK})
    whole_batch = True
    recipe = Recipe(optimizer="sgd", lr=2.0, scale="linear", batch=512, weight_decay=5e-5, warmup=30, epochs=800)
    recipes = {
        "small": Recipe(
            optimizer="adamw",
            lr=2e-3,
            batch=128,
            weight_decay=1e-4,
            warmup=1,
            epochs=40,
            options={"hidden": 1024, "mined_hidden": 512, "teacher_momentum": 0.9},
        )
    }

    def __init__(
        self,
        encoder: Encoder,
        *,
        dim: int = 256,
        hidden: int = 4096,
        mined_dim: int = 64,
        mined_hidden: int = 1024,
        neighbours: int = 1,
        weight: float = 1.0,
        ramp: tuple[float, float] = (0.125, 0.1375),
        teacher_momentum: float = 0.98,
    ):
        super().__init__(encoder)
        positive(dim=dim, hidden=hidden, mined_dim=mined_dim, mined_hidden=mined_hidden, neighbours=neighbours)
        shares(teacher_momentum=teacher_momentum)
        if weight < 0 or len(ramp) != 2 or not 0 <= ramp[0] < ramp[1] <= 1:
            raise TacitError(f"weight is {weight} and ramp {list(ramp)}; give 0 or more, and two rising shares of training.")
        self.projector, self.predictor = mlp(encoder.dim, hidden, dim), mlp(dim, hidden, dim)
        self.mined_projector = mlp(dim, mined_hidden, mined_dim)
        self.mined_predictor = mlp(mined_dim, mined_hidden, mined_dim)
        self.teachers = nn.ModuleList(Teacher(part) for part in self.followed())
        self.neighbours, self.weight, self.ramp, self.teacher_momentum = neighbours, weight, tuple(ramp), teacher_momentum

    def followed(self) -> tuple[nn.Module, ...]:
        return self.encoder, self.projector, self.mined_projector

    def step(self, batch: Batch):
        see, project, project_mined = self.teachers
        first, second = (self.encoder(view) for view in batch)
        targets = [see(view) for view in batch]
        z = self.projector(first)
        forth = cosine_distance(self.predictor(z), project(targets[1]))
        back = cosine_distance(self.predictor(self.projector(second)), project(targets[0]))
        found = self.mined(first.detach(), gather(targets[1]), batch)
        mined = cosine_distance(self.mined_predictor(self.mined_projector(z)), project_mined(project(found)))
        start, end = self.ramp
        w = self.weight * min(max((self.progress - start) / (end - start), 0.0), 1.0)
        return {"views": (forth + back, 1 / (1 + w)), "mined": (2 * mined, w / (1 + w))}

    def mined(self, y: Tensor, pool: Tensor, batch: Batch) -> Tensor:
        """One of the nearest others of each, by cosine: n × dim and N × dim -> n × dim."""
        near = nearest(unit(y), unit(pool), self.neighbours + 1).positions
        others = (near == mine(len(y), y.device)[:, None]).byte().argsort(dim=1, stable=True)  # oneself last, if there at all
        drawn = (batch.uniform("neighbour", 1) * self.neighbours).long()
        return pool[near.gather(1, others.gather(1, drawn))[:, 0]]

    def after_step(self, batch: Batch):
        for teacher, part in zip(self.teachers, self.followed()):
            teacher.follow(part, rising(self.teacher_momentum, self.progress))  # type: ignore[operator]
