"""The claims of the catalogue's rows dcl, npid, simsiam and swav, run small on real images.

    TACIT_DATA=… python benchmarks/claims.py            # all that is missing
    TACIT_DATA=… python benchmarks/claims.py dcl npid

Every training is a row of benchmarks/results/claims.json, stored when it is done. The set is cifar10-15k or its first samples
by a counter; everything is judged by kNN (k = 20, temperature 0.07) of the set's test part against its whole training part, with
the intervals of the 3 000 test images. Rules, written before the runs:

dcl      10 000 images, batches of 32, 64, 128 and 256, 300 steps each, SimCLR's small recipe for both losses: DCL is above
         InfoNCE at the smallest batch, and its gain there is the largest of the four.
npid     1 000, 4 000 and 15 000 images, 600 steps of 128: kNN grows with the number of images; at 15 000 it is above the
         untrained encoder and above an autoencoder of the same encoder and steps. (The row also names the proximal term, which
         the released code does not have: with it, weight 10, the loss of the last third varies less than without.)
simsiam  5 000 images, 10 epochs in batches of 128: without the stop-gradient, or without the predictor, the spread of the
         representation falls below half of SimSiam's and kNN is lower by more than the intervals' width.
swav     5 000 images, batches of 128: at equal steps above SimCLR (10 epochs); without equipartition fewer prototypes are used
         (entropy) and kNN is lower; with small crops at equal compute (views' pixels) above without.
"""

import argparse
import fcntl
import json
import math
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

import tacit
from tacit.data.known_sets import SETS
from tacit.data.samples import Samples
from tacit.evaluation.panel import Judged, judge
from tacit.judging import features, representations
from tacit.method import Batch, Encoder, Facts, Method, Paper, Recipe
from tacit.methods import name_of
from tacit.methods.contrast.npid import NPID
from tacit.numerics import counter
from tacit.objectives.instance import instance_softmax
from tacit.parts.bank import Bank
from tacit.parts.mlp import mlp
from tacit.views.kinds import Pair, Single

FILE = Path(__file__).parent / "results" / "claims.json"
SET = "cifar10-15k"


class Trained(NamedTuple):
    """One training of a claim."""

    claim: str
    name: str
    method: type[Method]
    images: int
    options: dict[str, Any]
    seed: int = 0


class Autoencoder(Method):
    """The pixels again from the encoder's answer: npid's baseline."""

    paper = Paper(
        "Reducing the Dimensionality of Data with Neural Networks", "Hinton, Salakhutdinov", 2006, "doi:10.1126/science.1127647"
    )
    views = Single()
    recipe = NPID.recipes["small"].but(options={})

    def __init__(self, encoder: Encoder, *, hidden: int = 1024):
        super().__init__(encoder)
        self.encoder_dim, self.hidden = encoder.dim, hidden

    def prepare(self, facts: Facts):
        self.decoder = mlp(self.encoder_dim, self.hidden, math.prod(facts.shape))

    def step(self, batch: Batch):
        (view,) = batch
        return (self.decoder(self.encoder(view)) - view.flatten(1)).square().mean()


class ProximalNPID(Method):
    """NPID with the paper's proximal term (equation 10), which the released code does not have."""

    paper = NPID.paper
    views = Single()
    recipe = NPID.recipes["small"].but(options={})
    variance: Tensor

    def __init__(self, encoder: Encoder, *, dim: int = 128, temperature: float = 0.1, proximal: float = 10.0):
        super().__init__(encoder)
        self.projector = nn.Linear(encoder.dim, dim)
        self.dim, self.temperature, self.proximal = dim, temperature, proximal

    def prepare(self, facts: Facts):
        self.bank = Bank(facts.n, self.dim, 0.5)

    def step(self, batch: Batch):
        z = self.projector(self.encoder(batch.views[0]))
        batch.keep(z=z)
        moved = (nn.functional.normalize(z.float(), dim=1) - self.bank.features[batch.index]).square().sum(1).mean()
        own = instance_softmax(z, self.bank.features, batch.index, self.temperature)
        return {"instance": own, "proximal": (moved, self.proximal)}

    def after_step(self, batch: Batch):
        self.bank.update(batch.index, batch.kept["z"])
