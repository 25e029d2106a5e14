"""DINO: self-distillation with no labels."""

import torch
from torch import Tensor, nn

from tacit.errors import positive, shares
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.numerics.processes import size, total
from tacit.objectives.swapped import swapped_prediction
from tacit.parts.dino_head import DINOHead
from tacit.parts.teacher import Teacher, rising
from tacit.views.kinds import MultiCrop

STRONG, WEAK = {"crop": (0.4, 1.0), "blur": 1.0}, {"crop": (0.4, 1.0), "blur": 0.1, "solarise": 0.2}
SMALL = {"local_crop": (0.05, 0.4), "blur": 0.5}


class DINO(Method):
    """Every crop predicts what a slow copy, sharpened and centred, says of the large crops.

    `sharpening` are the teacher's temperatures at the start and after the share `warm` of the training.

    checked: facebookresearch/dino@7c446df
    Compared: head, loss, gradient, centre and teacher after a step.
    Differs: schedules in epochs are shares of the training; the centre starts to move after the step that saw it.
    """

    paper = Paper(
        "Emerging Properties in Self-Supervised Vision Transformers",
        "Caron, Touvron, Misra, Jégou, Mairal, Bojanowski, Joulin",
        2021,
        "arXiv:2104.14294",
    )
    views = MultiCrop(large=2, small=8, of={"image": (STRONG, WEAK, *(SMALL,) * 8)})
    recipe = Recipe(
        optimizer="adamw", lr=5e-4, scale="linear", batch=512, weight_decay=0.04, warmup=10, final_lr=0.001, epochs=100
    ).but(decay_growth=10.0, clip=3.0, hold={"head.directions": 1})
    small = Recipe(optimizer="adamw", lr=1e-3, batch=128, weight_decay=0.04, warmup=2, clip=3.0, epochs=40)
    recipes = {"small": small.but(options={"k": 1024, "hidden": 512, "bottleneck": 128, "teacher_momentum": 0.99, "warm": 0.1, "norm": True})}
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
        positive(k=k, hidden=hidden, bottleneck=bottleneck, temperature=temperature, sharpening=min(sharpening))
        shares(warm=warm, teacher_momentum=teacher_momentum, centre_momentum=centre_momentum)
        self.head = DINOHead(encoder.dim, hidden, bottleneck, k, norm)
        self.teacher = Teacher(nn.Sequential(encoder, self.head))
        self.register_buffer("centre", torch.zeros(k))
        self.register_buffer("heard", torch.zeros(k))  # the sum of the teacher's answers in this batch so far
        self.register_buffer("answers", torch.zeros(()))  # and their number
        self.temperature, self.sharpening, self.warm = temperature, sharpening, warm
        self.teacher_momentum, self.centre_momentum = teacher_momentum, centre_momentum

    def step(self, batch: Batch):
        large, n = self.views.large, len(batch)
        sizes = torch.cat(batch.views[:large]), torch.cat(batch.views[large:])
        seen = torch.cat([self.encoder(crops) for crops in sizes])  # one forward for each size of crop
        student = self.head(seen).unflatten(0, (-1, n))  # crops × n × k
        teacher = self.teacher(sizes[0])
        self.heard += total(teacher.sum(0))
        self.answers += len(teacher) * size()
        targets = ((teacher - self.centre) / self.sharpness()).softmax(1).unflatten(0, (large, n))
        return swapped_prediction(student, targets, self.temperature)

    def sharpness(self) -> float:
        """The teacher's temperature now."""
        start, end = self.sharpening
        return start + (end - start) * min(self.progress / max(self.warm, 1e-9), 1.0)

    def after_step(self, batch: Batch):
        self.centre.lerp_(self.heard / self.answers, 1 - self.centre_momentum)
        self.heard.zero_()
        self.answers.zero_()
        self.teacher.follow(nn.Sequential(self.encoder, self.head), rising(self.teacher_momentum, self.progress))
