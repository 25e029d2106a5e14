"""DCGLR: distillation with contrast, for point clouds."""

import torch
from torch import Tensor, nn

from tacit.errors import positive, shares
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.numerics.processes import size, total
from tacit.objectives.n_pair import n_pair
from tacit.objectives.swapped import swapped_prediction
from tacit.parts.crops import each_size
from tacit.parts.dino_head import DINOHead
from tacit.parts.teacher import Teacher, rising
from tacit.views.kinds import MultiCrop


class DCGLR(Method):
    """Parts of a shape predict what a slow copy says of the shape, and each of its answers must find its shape in the batch.

    `pairing` weighs that second term, `pairing_scale` multiplies its products; `norm` puts batch normalisation into the head.

    unverified: the authors published no code, and of the paper abstract and introduction alone could be read. Losses, weights
    and recipe are those of their next work's code (fukexue/POS-BERT@df9961f, pretrain.py), without its masked patches.
    Differs from that code: a loss is not divided by 3, which AdamW does not see; the gradient is clipped as a whole, there each
    parameter's; drop path is the encoder's business.
    """

    paper = Paper(
        "Distillation with Contrast is All You Need for Self-Supervised Point Cloud Representation Learning",
        "Fu, Gao, Zhang, Li, Qiao, Wang",
        2022,
        "arXiv:2202.04241",
    )
    views = MultiCrop(large=2, small=8, of={"cloud": {"crop": (0.5, 0.9), "local_crop": (0.2, 0.5)}})
    whole_batch = True
    recipe = Recipe(
        optimizer="adamw", lr=0.02, scale="linear", batch=64, weight_decay=0.04, warmup=20, final_lr=0.002, epochs=300
    ).but(decay_growth=10.0, clip=3.0, hold={"head.directions": 1})
    small = Recipe(optimizer="adamw", lr=2e-3, batch=128, weight_decay=0.04, warmup=2, clip=3.0, epochs=40, small_crops=2)
    options = {"k": 256, "hidden": 512, "teacher_momentum": 0.99, "norm": True}
    recipes = {"small": small.but(options=options)}
    centre: Tensor
    heard: Tensor
    answers: Tensor

    def __init__(
        self,
        encoder: Encoder,
        *,
        k: int = 512,
        hidden: int = 2048,
        bottleneck: int = 256,
        norm: bool = False,
        temperature: float = 0.1,
        teacher_temperature: float = 0.04,
        pairing: float = 0.01,
        pairing_scale: float = 64.0,
        teacher_momentum: float = 0.996,
        centre_momentum: float = 0.9,
    ):
        super().__init__(encoder)
        positive(k=k, hidden=hidden, bottleneck=bottleneck, pairing_scale=pairing_scale)
        positive(temperature=temperature, teacher_temperature=teacher_temperature)
        shares(pairing=pairing, teacher_momentum=teacher_momentum, centre_momentum=centre_momentum)
        self.head = DINOHead(encoder.dim, hidden, bottleneck, k, norm)
        self.teacher = Teacher(nn.Sequential(self.encoder, self.head))
        self.register_buffer("centre", torch.zeros(k))
        self.register_buffer("heard", torch.zeros(k), persistent=False)  # sum of the teacher's answers in this batch
        self.register_buffer("answers", torch.zeros(()), persistent=False)  # and their number
        self.temperature, self.teacher_temperature = temperature, teacher_temperature
        self.pairing, self.pairing_scale = pairing, pairing_scale
        self.teacher_momentum, self.centre_momentum = teacher_momentum, centre_momentum

    def step(self, batch: Batch):
        student = self.head(each_size(self.encoder, batch)).unflatten(0, (-1, len(batch)))  # crops × n × k
        teacher = self.teacher(torch.cat(batch.views[: self.views.large]))
        self.heard += total(teacher.sum(0))
        self.answers += len(teacher) * size()
        targets = ((teacher - self.centre) / self.teacher_temperature).softmax(1).unflatten(0, (-1, len(batch)))
        return {
            "distillation": swapped_prediction(student, targets, self.temperature),
            "contrast": (n_pair(targets, student / self.temperature, self.pairing_scale), self.pairing),
        }

    def after_step(self, batch: Batch):
        self.centre.lerp_(self.heard / self.answers, 1 - self.centre_momentum)
        self.heard.zero_()
        self.answers.zero_()
        self.teacher.follow(nn.Sequential(self.encoder, self.head), rising(self.teacher_momentum, self.progress))
