"""Mugs: a student agrees with its slow copy on what a crop is itself, among its neighbours, and as one of some groups."""

from typing import Any

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.methods.self_distillation.mugs.granules import Granules, crops, filled, gelu_layers
from tacit.numerics.exact import unit
from tacit.objectives.by_crop import cross_entropy_by_crop, nce_by_crop, over_sizes
from tacit.parts.crops import each_size
from tacit.parts.looks import ASYMMETRIC, COLOUR
from tacit.parts.teacher import Teacher, rising
from tacit.views.kinds import MultiCrop

LARGE = tuple({**look, "crop": (0.25, 1.0)} for look in (*ASYMMETRIC, *ASYMMETRIC))
SMALL = {**COLOUR, "local_crop": (0.05, 0.25), "blur": 0.5}


class Mugs(Method):
    """The copy sees two large crops, the student two others and small ones, and three losses weigh alike: by InfoNCE a crop
    finds the copy's projection, and what a block of attention makes of it and its `neighbours` among earlier answers, of
    which both sides keep a queue; by cross-entropy it tells the copy's groups.

    checked: sail-sg/mugs@10ab634
    Compared: by its own heads, memory and losses three losses, gradient and centre over two steps, queues after the first.
    Differs: the encoder's one answer stands for class token, mean token and mean patch; the student's large crops are changed
    as the copy's are, there strongly or weakly by draw, and its queue takes them all; queues of answers move by what was put
    in, there twice as far; all layers learn alike, and the copy's temperature stays, there it may rise.
    """

    paper = Paper(
        "Mugs: A Multi-Granular Self-Supervised Learning Framework", "Zhou, Zhou, Si, Yu, Ng, Yan", 2022, "arXiv:2203.14415"
    )
    views = MultiCrop(large=4, small=10, of={"image": (*LARGE, *(SMALL,) * 10)})
    recipe = Recipe(optimizer="adamw", lr=2e-4, scale="linear", batch=1024, weight_decay=0.04, warmup=10, epochs=100)
    recipe = recipe.but(decay_growth=5.0, clip=3.0, final_lr=0.00125, hold={"said.groups.directions": 1})
    options = {"k": 512, "hidden": 512, "dim": 128, "queue": 2048, "teacher_momentum": 0.99, "norm": True}
    small = Recipe(optimizer="adamw", lr=1e-3, batch=128, weight_decay=0.04, warmup=1, clip=3.0, epochs=40, options=options)
    recipes = {"small": small.but(small_crops=0)}
    centre: Tensor

    def __init__(
        self,
        encoder: Encoder,
        *,
        dim: int = 256,
        hidden: int = 2048,
        k: int = 65536,
        queue: int = 65536,
        neighbours: int = 8,
        group_heads: int = 6,
        temperature: float = 0.2,
        sharpening: tuple[float, float] = (0.1, 0.04),
        norm: bool = False,
        weights: tuple[float, float, float] = (1.0, 1.0, 1.0),
        teacher_momentum: float = 0.996,
    ):
        super().__init__(encoder)
        positive(dim=dim, hidden=hidden, k=k, neighbours=neighbours, group_heads=group_heads, temperature=temperature)
        shares(teacher_momentum=teacher_momentum)
        if len(sharpening) != 2 or min(sharpening) <= 0:
            raise TacitError(f"sharpening is {list(sharpening)}; give two temperatures above 0, the student's and its copy's.")
        if len(weights) != 3 or min(weights) < 0 or not sum(weights):
            raise TacitError(f"weights is {list(weights)}; give three numbers of 0 or more, of instances, groups near and all.")
        self.said = Granules((encoder.dim, hidden, hidden, dim), k, group_heads, norm)
        self.predictors = nn.ModuleList(gelu_layers(dim, 2 * hidden, dim) for _ in range(2))
        self.teachers: Any = nn.ModuleList([Teacher(self.encoder), Teacher(self.said)])
        self.keys: Any = nn.ModuleList(filled(unit(torch.randn(queue, dim))) for _ in range(2))  # of instances, of groups near
        self.memories: Any = nn.ModuleList(filled(torch.randn(queue, encoder.dim)) for _ in range(2))  # answers, and the copy's
        self.register_buffer("centre", torch.zeros(k))
        self.temperature, self.sharpening, self.neighbours = temperature, sharpening, neighbours
        self.shares, self.teacher_momentum = [weight / sum(weights) for weight in weights], teacher_momentum

    def step(self, batch: Batch):
        n, (see, say) = len(batch), self.teachers
        answer, copied = each_size(self.encoder, batch.views[2:]), see(torch.cat(batch.views[:2]))
        own = self.said(answer, self.memories[0].rows, self.neighbours)
        target = say(copied, self.memories[1].rows, self.neighbours)
        codes = crops(((target.groups - self.centre) / self.sharpening[1]).softmax(1), n)
        losses = [
            nce_by_crop(crops(unit(predict(z)), n), crops(key, n), keys.rows, self.temperature)
            for predict, z, key, keys in zip(self.predictors, own[:2], target[:2], self.keys)
        ]
        losses.append(cross_entropy_by_crop(crops(own.groups, n), codes, self.sharpening[0]))
        instance, near, groups = (crops(z, n).transpose(0, 1) for z in target)
        batch.keep(instance=instance, near=near, groups=groups.mean(1), answer=answer[:n], copied=copied[:n])
        named = zip(target._fields, losses, self.shares)
        return {name: (over_sizes(loss, self.views.large - 2), share) for name, loss, share in named}

    def after_step(self, batch: Batch):
        for queue, keys in zip(self.keys, (batch.kept["instance"], batch.kept["near"])):
            queue.push(keys.transpose(0, 1).flatten(0, 1))
        self.memories[0].push(batch.kept["answer"])
        self.memories[1].push(batch.kept["copied"])
        self.centre.lerp_(batch.kept["groups"].mean(0), 0.1)
        for teacher, part in zip(self.teachers, (self.encoder, self.said)):
            teacher.follow(part, rising(self.teacher_momentum, self.progress))
