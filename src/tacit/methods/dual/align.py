"""ALIGN."""

import torch
from torch import nn

from tacit.errors import TacitError, positive
from tacit.method import Batch, Dual, Method, Paper, Recipe
from tacit.objectives.dual.matched import matched
from tacit.parts.sequences.unchanged import TEXT
from tacit.views.kinds import Paired

COLDEST = 0.01  # below which the temperature is not learned: at 0 the loss is not defined

CROPPED = {"crop": (0.69, 0.71), "ratio": (1.0, 1.0), "jitter": 0.0, "grey": 0.0, "blur": 0.0, "solarise": 0.0}


class ALIGN(Method):
    """An image finds its caption among those of the batch and the caption its image; how sharply, is learned.

    Both encoders are trained from nothing, on captions as they come. Views are a crop of 289 of 346 pixels, flipped or not, and
    the whole caption.

    unverified: Google published no code; kakaobrain/coyo-align@14bdf5a (align.py), which says that it follows the paper, was
    read.
    Differs: AdamW in place of LAMB, and the rate falls by a cosine; where the encoders differ in width the narrower one gets
    the linear layer, not always the text's; the temperature is kept at 0.01 or above.
    """

    paper = Paper(
        "Scaling Up Visual and Vision-Language Representation Learning With Noisy Text Supervision",
        "Jia, Yang, Xia, Chen, Parekh, Pham, Le, Sung, Li, Duerig",
        2021,
        "arXiv:2102.05918",
    )
    views = Paired(of={"pair": {"image": CROPPED, "text": TEXT}})
    whole_batch = True
    recipe = Recipe(optimizer="adamw", lr=1e-3, batch=16384, weight_decay=1e-5, epochs=11, warmup=0.1)
    recipes = {
        "small": Recipe(
            optimizer="adamw", lr=1e-3, batch=256, weight_decay=1e-2, epochs=60, warmup=3, options={"temperature": 0.1}
        )
    }

    def __init__(self, encoder: Dual, *, temperature: float = 1.0, smoothing: float = 0.1):
        super().__init__(encoder)  # type: ignore[arg-type]  # the base knows encoders of one part
        positive(temperature=temperature)
        if not 0 <= smoothing < 1:
            raise TacitError(f"smoothing is {smoothing}; give a share of the target, from 0 to below 1.")
        self.temperature = nn.Parameter(torch.tensor(float(temperature)))
        self.smoothing = smoothing

    def step(self, batch: Batch):
        image, text = batch
        of_image, of_text = matched(self.encoder.first(image), self.encoder.second(text), 1 / self.temperature, self.smoothing)
        return of_image + of_text

    def after_step(self, batch: Batch):
        self.temperature.clamp_(min=COLDEST)
