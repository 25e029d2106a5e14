"""OBoW: pieces of an image predict which visual words the whole of it holds."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Maps, Method, Paper, Recipe
from tacit.numerics.exact import unit
from tacit.numerics.processes import gather
from tacit.objectives.visual_words import bag_of_words, foreseen_bags
from tacit.parts.crops import each_size
from tacit.parts.looks import EVEN_COLOUR
from tacit.parts.mlp import mlp
from tacit.parts.queue import Queue
from tacit.parts.sequences.unchanged import IMAGE
from tacit.parts.teacher import Teacher, rising
from tacit.views.kinds import Fixed, MultiCrop

PIECE, PATCH = {**EVEN_COLOUR, "crop": (0.08, 0.6)}, {**EVEN_COLOUR, "local_crop": (0.08, 0.14)}


class OBoW(Method):
    """A slow copy sees the whole image and says by soft assignment, the largest over places, which of the vocabulary's words
    are in it; each crop predicts that bag, by weights that a perceptron makes of the words themselves.

    The vocabulary is a `queue` of places drawn from earlier images' maps, averaged over `window` × `window`. Of the maps
    `border` places are left out on each side. `hardness` over the running mean of the least squared distances sharpens the
    assignment; `kappa` is that of the predicting weights.

    checked: valeoai/obow@3758504
    Compared: losses, gradient, running distance, vocabulary and slow copy over three steps of its own model.
    Differs: one level of words, that of the encoder's map, there also that before it; crops are seen at the size of the whole,
    there smaller; small ones are drawn by themselves, there from a grid of nine.
    """

    paper = Paper(
        "OBoW: Online Bag-of-Visual-Words Generation for Self-Supervised Learning",
        "Gidaris, Bursuc, Puy, Komodakis, Cord, Pérez",
        2020,
        "arXiv:2012.11552",
    )
    views = MultiCrop(large=3, small=5, of={"image": (Fixed({**IMAGE, "flip": 0.5}), PIECE, PIECE, *(PATCH,) * 5)})
    whole_batch = True
    recipe = Recipe(optimizer="sgd", lr=0.03, batch=256, weight_decay=1e-4, warmup=10, final_lr=0.001, epochs=200)
    small = Recipe(optimizer="adamw", lr=4e-3, batch=128, weight_decay=1e-4, warmup=1, epochs=40, small_crops=0)
    recipes = {"small": small.but(options={"queue": 1024, "border": 0, "window": 1, "hardness": 10.0, "kappa": 5.0})}
    nearness: Tensor

    def __init__(
        self,
        encoder: Maps,
        *,
        queue: int = 8192,
        hardness: float = 15.0,
        kappa: float = 8.0,
        border: int = 1,
        window: int = 3,
        teacher_momentum: float = 0.99,
    ):
        super().__init__(encoder)  # type: ignore[arg-type]  # which is called too, as every encoder with maps is
        positive(hardness=hardness, kappa=kappa, window=window)
        shares(teacher_momentum=teacher_momentum)
        if border < 0:
            raise TacitError(f"border is {border}; give 0 or more places.")
        self.teacher: Any = Teacher(self.encoder)
        self.generator = mlp(encoder.dim, 2 * encoder.dim, encoder.dim)
        self.words = Queue(queue, encoder.dim)
        self.words.rows.copy_(torch.randn(queue, encoder.dim).clamp_min(0))
        self.register_buffer("nearness", torch.tensor(0.5))  # the running mean of each place's least squared distance
        self.hardness, self.kappa, self.border, self.window = hardness, kappa, border, window
        self.teacher_momentum = teacher_momentum

    def step(self, batch: Batch):
        with torch.no_grad():
            places = self.places(self.teacher.module.maps(batch.views[0]), batch)
        mine = self.words.mine  # of whose weights this process takes care, so that the generator's norm sees each word once
        bag, nearness = bag_of_words(places, gather(mine), self.nearness, self.hardness, 0.01)
        self.nearness.copy_(nearness)
        weights = self.kappa * gather(unit(self.generator(unit(mine))))
        features = each_size(self.encoder, batch.views[1:]).unflatten(0, (-1, len(batch)))
        large, small = foreseen_bags(features, weights, bag).tensor_split([self.views.large - 1])
        return {"crops": large.mean()} | ({"patches": small.mean()} if len(small) else {})

    def places(self, maps: Tensor, batch: Batch) -> Tensor:
        """The map without its border, n × dim × h × w -> n × places × dim; one place of each is kept for the vocabulary."""
        least = 2 * self.border + self.window
        if min(maps.shape[2:]) < least:
            raise TacitError(f"Maps of {list(maps.shape[2:])} came; border and window want {least} a side: give larger views.")
        inner = pad(maps.float(), [-self.border] * 4)
        averaged = avg_pool2d(inner, self.window, stride=1).flatten(2)
        drawn = (batch.uniform("place", 1) * averaged.shape[2]).long()
        batch.keep(word=averaged.gather(2, drawn[:, None].expand(-1, averaged.shape[1], -1))[:, :, 0])
        return inner.flatten(2).transpose(1, 2)

    def after_step(self, batch: Batch):
        self.words.push(batch.kept["word"])
        self.teacher.follow(self.encoder, rising(self.teacher_momentum, self.progress))
