"""MERU."""

import math

import torch
from torch import nn

from tacit.errors import positive
from tacit.method import Batch, Dual, Method, Paper, Recipe
from tacit.numerics import lorentz
from tacit.numerics.exact import full_precision
from tacit.numerics.processes import gather
from tacit.objectives.dual.scored import scored
from tacit.parts.sequences.unchanged import TEXT
from tacit.views.kinds import Paired

SEEN = {"crop": (0.5, 1.0), "flip": 0.0, "jitter": 0.0, "grey": 0.0, "blur": 0.0, "solarise": 0.0}
SHARPEST, BEND = 100.0, 10.0  # the largest scale of distances; how far the curvature may go from its first value, times or over


class MERU(Method):
    """Images and texts lie in hyperbolic space, what is general nearer to its vertex, and a text's cone holds its images.

    They find each other by distance; the curvature, the scale of distances and the lengths of both sides' vectors are learned.
    What is embedded are points of the Poincaré ball, an image of the hyperboloid in which the same points are near.

    checked: facebookresearch/meru@6d44300
    Compared: exponential map, both terms of the loss, angles and apertures, and the gradients by vectors and curvature
    (meru/lorentz.py and MERU.forward of meru/models.py).
    Differs: guards of 1e-6 in place of 1e-8, which float32 does not see.
    """

    paper = Paper(
        "Hyperbolic Image-Text Representations", "Desai, Nickel, Rajpurohit, Johnson, Vedantam", 2023, "arXiv:2304.09172"
    )
    views = Paired(of={"pair": {"image": SEEN, "text": TEXT}})
    whole_batch = True
    similarity = "poincare"
    recipe = Recipe(optimizer="adamw", lr=5e-4, batch=2048, weight_decay=0.2, beta2=0.98, warmup=0.7, epochs=20)
    recipes = {"small": Recipe(optimizer="adamw", lr=1e-3, batch=256, weight_decay=0.2, beta2=0.98, epochs=60, warmup=3)}

    def __init__(self, encoder: Dual, *, dim: int = 512, curvature: float = 1.0, entailment: float = 0.2):
        super().__init__(encoder)  # type: ignore[arg-type]  # the base knows encoders of one part
        positive(dim=dim, curvature=curvature)
        projections = [nn.Linear(encoder.dim, dim, bias=False) for _ in range(2)]
        for projection in projections:
            nn.init.normal_(projection.weight, std=encoder.dim**-0.5)
        self.projections = nn.ModuleList(projections)
        self.first_curvature, self.entailment = math.log(curvature), entailment
        self.log_curvature = nn.Parameter(torch.tensor(self.first_curvature))
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.log_lengths = nn.Parameter(torch.full((2,), -0.5 * math.log(dim)))  # so that vectors are about 1 long at first

    def step(self, batch: Batch):
        image, text = (self.lifted(view, part) for part, view in enumerate(batch))
        with full_precision():
            c, scale = self.log_curvature.exp(), self.log_scale.exp()
            finds_text, finds_image = scored(gather(image), gather(text), lambda x, y: -scale * lorentz.distance(x, y, c))
            outside = lorentz.exterior_angle(text, image, c) - lorentz.half_aperture(text, c)
            return {"contrast": (finds_text + finds_image) / 2, "entailment": (outside.relu().mean(), self.entailment)}

    def lifted(self, view, part: int):
        """Images (part 0) or texts (1) on the hyperboloid, their components of space: n × dim, in float32."""
        seen = self.projections[part]((self.encoder.first, self.encoder.second)[part](view))
        with full_precision():
            return lorentz.exp_map(seen.float() * self.log_lengths[part].exp(), self.log_curvature.exp())

    def after_step(self, batch: Batch):
        self.log_curvature.clamp_(self.first_curvature - math.log(BEND), self.first_curvature + math.log(BEND))
        self.log_lengths.clamp_(max=0.0)
        self.log_scale.clamp_(max=math.log(SHARPEST))

    def shared(self, view, part: int):
        """Images or texts in the Poincaré ball: n × dim."""
        return lorentz.in_ball(self.lifted(view, part), self.log_curvature.exp())

    def represent(self, batch: Batch):
        return self.shared(batch.views[0], 0)
