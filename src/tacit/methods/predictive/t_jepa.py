"""T-JEPA: joint-embedding prediction over the columns of a table."""

import numpy as np
import torch

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Method, Paper, Recipe, Tokens
from tacit.numerics import counter
from tacit.parts.patches import take
from tacit.parts.teacher import Teacher
from tacit.parts.token_predictor import TokenPredictor
from tacit.views.kinds import Values


class TJEPA(Method):
    """From a few of a row's columns predict what a slow copy of the encoder, which sees the row, says of others.

    Each row has one set of columns as context and `targets` sets, apart from it, which may overlap; how many columns they
    have is drawn once for a batch, within these shares of all. The encoder's register takes the part of the paper's
    regularisation token: it is in every input and in no target.

    unverified: sets and predictor were read in jose-melo/t-jepa@e07ea70 and not run; loss and momentum are as described.
    Differs: a target set that would not fit beside the context is cut, there sizes are drawn again; the register is never
    masked and no part of the representation, there it is both; no linear embedding of columns apart from the encoder's.
    """

    paper = Paper(
        "T-JEPA: Augmentation-Free Self-Supervised Learning for Tabular Data",
        "Thimonier, Costa, Popineau, Rimmel, Doan",
        2024,
        "arXiv:2410.05016",
    )
    views = Values(of={"table": {"corrupt": 0.0}})
    recipe = Recipe(optimizer="adamw", lr=5e-4, batch=512, warmup=10, epochs=300)
    recipes = {"small": Recipe(optimizer="adamw", lr=1e-3, batch=256, warmup=1, epochs=30)}

    def __init__(
        self,
        encoder: Tokens,
        *,
        targets: int = 4,
        context_share: tuple[float, float] = (0.14, 0.37),
        target_share: tuple[float, float] = (0.16, 0.62),
        predictor_width: int = 64,
        predictor_depth: int = 2,
        predictor_heads: int = 4,
        teacher_momentum: float = 0.996,
    ):
        super().__init__(encoder)
        positive(targets=targets, predictor_depth=predictor_depth, predictor_heads=predictor_heads)
        shares(teacher_momentum=teacher_momentum)
        for name, (low, high) in {"context_share": context_share, "target_share": target_share}.items():
            if not 0 < low <= high <= 1:
                raise TacitError(f"{name} is {low} to {high}; give two shares in (0, 1], the smaller first.")
        if predictor_width % (2 * predictor_heads):
            raise TacitError(f"predictor_width is {predictor_width}; give a multiple of twice the {predictor_heads} heads.")
        self.predictor = TokenPredictor(encoder.dim, predictor_width, predictor_depth, predictor_heads)
        self.teacher = Teacher(self.encoder)
        self.targets, self.momentum = targets, teacher_momentum
        self.shares = context_share, target_share

    def step(self, batch: Batch):
        (view,) = batch
        with torch.no_grad():
            whole = self.teacher.module.tokens(view)  # type: ignore[operator]
        t = whole.shape[1]
        if t < 2:
            raise TacitError("T-JEPA predicts tokens from others and the encoder gives 1; take an encoder of several.")
        sizes = counter.key(batch.key, "sizes", repr(self.progress))  # anew for each batch, of all processes alike
        draws = counter.uniform(sizes, np.arange(1), 2)[0].tolist()
        k, m = (max(1, round(t * (low + (high - low) * u))) for (low, high), u in zip(self.shares, draws))
        k = min(k, t - 1)
        order = batch.uniform("context", t).argsort(1)
        context, rest = order[:, :k], order[:, k:]
        places = batch.uniform("targets", self.targets, t - k).argsort(2)[:, :, :m].flatten(1)
        asked = rest.gather(1, places).unflatten(1, (self.targets, -1)).flatten(0, 1)
        seen = self.encoder.tokens(view, context).repeat_interleave(self.targets, 0)
        predicted = self.predictor(seen, context.repeat_interleave(self.targets, 0), asked)
        wanted = take(whole.repeat_interleave(self.targets, 0), asked)
        return (predicted.float() - wanted.float()).square().mean()

    def after_step(self, batch: Batch):
        self.teacher.follow(self.encoder, self.momentum + (1 - self.momentum) * self.progress)

    def represent(self, batch: Batch):
        return self.encoder.tokens(batch.views[0]).flatten(1)  # every column's own, as the paper's heads see them
