"""PixPro: a place in an image says what it is alike to, and another view's slow copy of the encoder says the same of it."""

from torch import nn

from tacit.errors import positive, shares
from tacit.method import Batch, Maps, Method, Paper, Recipe
from tacit.objectives.dense.cells import agreement, near, propagated
from tacit.parts.images.cells import Cells
from tacit.parts.looks import ASYMMETRIC
from tacit.parts.mlp import mlp
from tacit.parts.teacher import Teacher, rising
from tacit.views.kinds import Raster


class PixPro(Method):
    """Cells of two views' maps whose places in the image are nearer than `reach` of a cell's diagonal are pairs. Each cell of
    the one becomes the sum of all cells of its map, weighted by how alike they are (`sharpness` γ), and should point where
    the teacher's cell of the other does.

    The loss is twice the mean cosine of each direction, negative: −4 at best. Images whose views do not meet count as 0.

    checked: zdaxie/PixPro@e390d6b
    Compared: smoothed maps, pairs with mirrored views, loss and gradients by its own model; the momentum's schedule by reading.
    Differs: the target follows after a step, there before the next; a crop's corner is its edge, there the middle of its last
    pixel; no bias before a norm. PixContrast, which is not released, and the second loss of whole images, which the released
    scripts turn off, are left out.
    """

    paper = Paper(
        "Propagate Yourself: Exploring Pixel-Level Consistency for Unsupervised Visual Representation Learning",
        "Xie, Lin, Zhang, Cao, Lin, Hu",
        2021,
        "arXiv:2011.10043",
    )
    views = Raster(looks=2, of={"image": ASYMMETRIC})
    recipe = Recipe(optimizer="lars", lr=1.0, scale="linear", batch=1024, weight_decay=1e-5, warmup=5, epochs=100)
    recipes = {
        "small": Recipe(
            optimizer="adamw",
            lr=2e-3,
            batch=128,
            weight_decay=1e-4,
            warmup=1,
            epochs=40,
            options={"hidden": 1024, "teacher_momentum": 0.9},
        )
    }

    def __init__(
        self,
        encoder: Maps,
        *,
        dim: int = 256,
        hidden: int = 4096,
        sharpness: float = 2.0,
        reach: float = 0.7,
        teacher_momentum: float = 0.99,
    ):
        super().__init__(encoder)  # type: ignore[arg-type]  # what offers maps is a module
        positive(dim=dim, hidden=hidden, sharpness=sharpness, reach=reach)
        shares(teacher_momentum=teacher_momentum)
        self.projector, self.value = mlp(encoder.dim, hidden, dim), nn.Linear(dim, dim)
        self.teacher = Teacher(Cells(self.encoder, self.projector))
        self.sharpness, self.reach, self.teacher_momentum = sharpness, reach, teacher_momentum

    def step(self, batch: Batch):
        student = Cells(self.encoder, self.projector)
        first, second = (propagated(z := student(view), self.value(z), self.sharpness) for view in batch)
        (here, there), (high, wide) = batch.params, first.shape[1:3]
        pairs = near(here, there, high, wide, self.reach)
        first_target, second_target = (self.teacher(view) for view in batch)
        return -2 * (agreement(first, second_target, pairs) + agreement(second, first_target, pairs.mT))

    def after_step(self, batch: Batch):
        self.teacher.follow(Cells(self.encoder, self.projector), rising(self.teacher_momentum, self.progress))
