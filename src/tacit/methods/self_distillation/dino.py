"""DINO: self-distillation with no labels."""

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.numerics.processes import size, total
from tacit.objectives.swapped import swapped_prediction
from tacit.parts.crops import each_size
from tacit.parts.dino_head import DINOHead
from tacit.parts.looks import ASYMMETRIC, COLOUR
from tacit.parts.teacher import Teacher, rising
from tacit.views.kinds import MultiCrop

LARGE = tuple({**look, "crop": (0.4, 1.0)} for look in ASYMMETRIC)
SMALL = {**COLOUR, "local_crop": (0.05, 0.4), "blur": 0.5}


class DINO(Method):
    """Every crop predicts what a slow copy, sharpened and centred, says of the other large crops.

    `sharpening` are the teacher's temperatures at the start and from the share `warm` of the training on; `norm` puts batch
    normalisation into the head. Convolutional encoders the released code trains by sgd at lr 0.03 with weight_decay 1e-4,
    decay_growth 1, crop 0.14 to 1 and local_crop 0.05 to 0.14.

    checked: facebookresearch/dino@7c446df
    Compared: head, and over six steps by its own training loop loss, gradient, centre, teacher, held directions, schedules.
    Differs: the teacher's temperature rises to the paper's 0.07 at every step, the code's stays at 0.04 unless told, and
    then rises by epochs; the gradient is clipped as a whole, there each parameter's; drop path is the encoder's business.
    """

    paper = Paper(
        "Emerging Properties in Self-Supervised Vision Transformers",
        "Caron, Touvron, Misra, Jégou, Mairal, Bojanowski, Joulin",
        2021,
        "arXiv:2104.14294",
    )
    views = MultiCrop(large=2, small=8, of={"image": (*LARGE, *(SMALL,) * 8)})
    recipe = Recipe(
        optimizer="adamw", lr=5e-4, scale="linear", batch=512, weight_decay=0.04, warmup=10, final_lr=0.001, epochs=100
    ).but(decay_growth=10.0, clip=3.0, hold={"head.directions": 1})
    small = Recipe(optimizer="adamw", lr=1e-3, batch=128, weight_decay=0.04, warmup=2, clip=3.0, epochs=40, small_crops=0)
    options = {"k": 1024, "hidden": 512, "teacher_momentum": 0.99, "sharpening": (0.04, 0.04), "norm": True}
    recipes = {"small": small.but(options=options)}
    centre: Tensor
    heard: Tensor
    answers: Tensor

    def __init__(
        self,
        encoder: Encoder,
        *,
        k: int = 65536,
        hidden: int = 2048,
        bottleneck: int = 256,
        temperature: float = 0.1,
        sharpening: tuple[float, float] = (0.04, 0.07),
        warm: float = 0.3,
        norm: bool = False,
        teacher_momentum: float = 0.996,
        centre_momentum: float = 0.9,
    ):
        super().__init__(encoder)
        positive(k=k, hidden=hidden, bottleneck=bottleneck, temperature=temperature)
        shares(warm=warm, teacher_momentum=teacher_momentum, centre_momentum=centre_momentum)
        if len(sharpening) != 2 or not all(temperature > 0 for temperature in sharpening):
            raise TacitError(f"sharpening is {list(sharpening)}; give two temperatures above 0, at first and after warming.")
        self.head = DINOHead(encoder.dim, hidden, bottleneck, k, norm)
        self.teacher = Teacher(nn.Sequential(self.encoder, self.head))
        self.register_buffer("centre", torch.zeros(k))
        self.register_buffer("heard", torch.zeros(k), persistent=False)  # sum of the teacher's answers in this batch so far
        self.register_buffer("answers", torch.zeros(()), persistent=False)  # and their number
        self.temperature, self.sharpening, self.warm = temperature, sharpening, warm
        self.teacher_momentum, self.centre_momentum = teacher_momentum, centre_momentum

    def step(self, batch: Batch):
        student = self.head(each_size(self.encoder, batch)).unflatten(0, (-1, len(batch)))  # crops × n × k
        teacher = self.teacher(torch.cat(batch.views[: self.views.large]))
        self.heard += total(teacher.sum(0))
        self.answers += len(teacher) * size()
        targets = ((teacher - self.centre) / self.sharpness()).softmax(1).unflatten(0, (-1, len(batch)))
        return swapped_prediction(student, targets, self.temperature)

    def sharpness(self) -> float:
        """The teacher's temperature now."""
        start, end = self.sharpening
        return end if self.progress >= self.warm else start + (end - start) * self.progress / self.warm

    def after_step(self, batch: Batch):
        self.centre.lerp_(self.heard / self.answers, 1 - self.centre_momentum)
        self.heard.zero_()
        self.answers.zero_()
        self.teacher.follow(nn.Sequential(self.encoder, self.head), rising(self.teacher_momentum, self.progress))
