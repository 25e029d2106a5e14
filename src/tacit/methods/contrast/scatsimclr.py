"""ScatSimCLR: contrast above wavelets that are not learned, and looks tell which way up they are."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.objectives.nt_xent import nt_xent
from tacit.parts.mlp import mlp
from tacit.views.kinds import Raster

TURNS = 4


class ScatSimCLR(Method):
    """SimCLR, and beside its two looks four more, turned by 0, 90, 180 and 270 degrees, whose turns a perceptron tells from
    what represents them; that weighs `pretext` as much.

    The paper's encoder is `--encoder scattering`, whose first layers are fixed; any other will do.

    checked: vkinakh/scatsimclr@7630b12
    Compared: both terms and their gradients by its own NTXentLoss and heads of PretextTaskTrainer; the wavelets, with kymatio.
    Differs: looks are turned after they are drawn, there images before; the rate falls by a cosine, there by steps of an epoch
    each along one that is as long as an epoch has batches; puzzles of nine tiles, its other task, are left out; the number
    of epochs is not the paper's.
    """

    paper = Paper(
        "ScatSimCLR: self-supervised contrastive learning with pretext task regularization for small-scale datasets",
        "Kinakh, Taran, Voloshynovskiy",
        2021,
        "arXiv:2108.13939",
    )
    views = Raster(looks=2 + TURNS)
    whole_batch = True
    recipe = Recipe(lr=3e-4, batch=64, weight_decay=1e-5, epochs=100)
    recipes = {"small": Recipe(lr=1e-3, batch=128, weight_decay=1e-4, warmup=1, epochs=40)}

    def __init__(
        self, encoder: Encoder, *, dim: int = 128, temperature: float = 0.5, pretext: float = 0.3, dropped: float = 0.5
    ):
        super().__init__(encoder)
        positive(dim=dim, temperature=temperature)
        shares(dropped=dropped)
        if pretext < 0:
            raise TacitError(f"pretext is {pretext}; give a weight of 0 or more.")
        self.projector = mlp(encoder.dim, encoder.dim, dim, norm=False)
        widths = (encoder.dim, 512, 128)
        hidden = ((nn.Linear(*pair), nn.ReLU(), nn.Dropout(dropped)) for pair in pairwise(widths))
        self.head = nn.Sequential(*(layer for layers in hidden for layer in layers), nn.Linear(128, TURNS))
        self.temperature, self.pretext = temperature, pretext

    def step(self, batch: Batch):
        first, second, *others = batch
        turned = torch.cat([look.rot90(quarters, (2, 3)) for quarters, look in enumerate(others)])
        which = torch.arange(TURNS, device=turned.device).repeat_interleave(len(batch))
        one, other = (self.projector(self.encoder(look)) for look in (first, second))
        told = cross_entropy(self.head(self.encoder(turned)).float(), which)
        return {"contrast": nt_xent(one, other, self.temperature), "turns": (told, self.pretext)}
