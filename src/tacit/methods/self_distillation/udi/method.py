"""UDI: beside what a slow copy says of the whole, a second class token tells what it says of the parts."""

from typing import Any

import torch
from torch import nn
from torch.nn.functional import one_hot

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Method, Paper, Recipe
from tacit.methods.self_distillation.udi.heard import Centring, heard
from tacit.methods.self_distillation.udi.places import sampled
from tacit.methods.self_distillation.udi.said import Grid, Said
from tacit.numerics.processes import total
from tacit.parts.looks import COLOUR
from tacit.parts.teacher import Teacher, rising
from tacit.views.kinds import MultiCrop

LOOK = {**COLOUR, "crop": (0.25, 1.0), "local_crop": (0.05, 0.25), "blur": 0.425, "solarise": 0.1}


class UDI(Method):
    """Of one patch in each window of a crop the copy says, by attention in the other large crop, what it shows there. A crop's
    class token tells the copy's; its second one the copy's scores of the patches, averaged, and of the whole, blended before
    centring; of large crops each sampled patch tells the copy's. The three losses have `weights`, `windows` of large and small
    crops their sides; what the other crop does not show counts nowhere.

    checked: ISL-CV/udi@133c2cb
    Compared: by its own attention, head, loss and centres of fixed tokens three losses, gradients and centres over two steps;
    sampling and projected places by its own augmentation, with mirrored and small crops.
    Differs: class tokens enter before a last block of this method's own, there before the first, and are not seen by patches,
    which are read after the encoder's norm; crops are drawn by themselves, there moved to meet; gains of the head's directions
    stay 1; the copy's temperature rises at every step; the gradient is clipped as a whole.
    """

    paper = Paper("Unsqueeze [CLS] Bottleneck to Learn Rich Representations", "Su, Ji", 2024, "arXiv:2407.17671")
    views = MultiCrop(large=2, small=10, of={"image": LOOK})
    whole_batch = True
    recipe = Recipe(lr=5e-4, scale="linear", batch=1024, weight_decay=0.04, decay_growth=2.5, warmup=10, epochs=300)
    recipe = recipe.but(clip=3.0, final_lr=0.005, hold={"said.head.directions": 1})
    options = {"k": 1024, "hidden": 512, "teacher_momentum": 0.99, "sharpening": (0.04, 0.04)}
    small = Recipe(lr=1e-3, batch=128, weight_decay=0.04, warmup=2, clip=3.0, epochs=40, small_crops=2)
    recipes = {"small": small.but(options=options)}

    def __init__(
        self,
        encoder: Grid,
        *,
        k: int = 65536,
        hidden: int = 2048,
        attention_heads: int = 6,
        windows: tuple[int, int] = (3, 2),
        blend: float = 0.5,
        weights: tuple[float, float, float] = (1.0, 1.0, 1.0),
        temperature: float = 0.1,
        sharpening: tuple[float, float] = (0.04, 0.07),
        warm: float = 0.1,
        teacher_momentum: float = 0.996,
    ):
        super().__init__(encoder)
        positive(k=k, hidden=hidden)
        shares(blend=blend, teacher_momentum=teacher_momentum)
        if len(windows) != 2 or min(windows) < 1:
            raise TacitError(f"windows is {list(windows)}; give two sides in patches, of large and of small crops' windows.")
        if len(weights) != 3 or min(weights) < 0 or not sum(weights):
            raise TacitError(f"weights is {list(weights)}; give three numbers of 0 or more, of wholes, blends and parts.")
        self.said = Said(encoder.dim, attention_heads, hidden, k)
        self.teachers: Any = nn.ModuleList([Teacher(self.encoder), Teacher(self.said)])
        self.centring = Centring(k, temperature, sharpening, warm)
        self.windows, self.blend, self.teacher_momentum = windows, blend, teacher_momentum
        self.weights = [weight / sum(weights) for weight in weights]

    def step(self, batch: Batch):
        n, crops = len(batch), sampled(batch, self.encoder.patch, self.windows)
        see, say = (teacher.module for teacher in self.teachers)
        patches = self.encoder.tokens(torch.cat(batch.views[:2]))
        small = [self.encoder.tokens(torch.cat(batch.views[2:]))] if batch.views[2:] else []
        wholes = self.said.head(torch.cat([self.said.whole(x) for x in (patches, *small)])).unflatten(0, (-1, n))
        cells = one_hot(torch.cat([crop.cells for crop in crops[:2]]), patches.shape[1])
        parts = self.said.head(self.said.parts(patches, cells.to(patches))).unflatten(0, (2, n))
        with torch.no_grad():
            slow = see.tokens(torch.cat(batch.views[:2])).unflatten(0, (2, n))
        copy = heard(say, slow, crops, self.blend)
        self.centring.hear(copy)
        asked = torch.stack([torch.cat([wholes[:t], wholes[t + 1 :]]) for t in range(2)])  # 2 × v × n × 2 × k
        whole = self.centring(asked[..., 0, :], copy.whole[:, None], 0, self.progress).mean()
        blends = self.centring(asked[..., 1, :], copy.blends, 1, self.progress).mean()
        matched = total((self.centring(parts.flip(0), copy.parts, 2, self.progress) * copy.within).sum())
        losses = {"whole": whole, "blends": blends, "parts": matched / total(copy.within.sum()).clamp_min(1)}
        return {name: (loss, weight) for (name, loss), weight in zip(losses.items(), self.weights)}

    def after_step(self, batch: Batch):
        self.centring.move()
        for teacher, part in zip(self.teachers, (self.encoder, self.said)):
            teacher.follow(part, rising(self.teacher_momentum, self.progress))

    def represent(self, batch: Batch):
        return self.said.whole(self.encoder.tokens(batch.views[0]))[:, 0]
