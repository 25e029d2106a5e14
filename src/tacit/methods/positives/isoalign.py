"""IsoAlign: a series agrees with its projections onto sines and onto wavelets."""

import torch
from torch.nn.functional import l1_loss

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Encoder, Facts, Method, Paper, Recipe
from tacit.numerics.exact import unit
from tacit.numerics.processes import size
from tacit.objectives.nt_xent import nt_xent
from tacit.parts.mlp import mlp
from tacit.parts.sequences.projections import FourierEncoder, ScalogramEncoder, VectorMap
from tacit.parts.sequences.unchanged import SERIES
from tacit.views.kinds import Signal


class IsoAlign(Method):
    """Three encoders see a series, its Fourier coefficients and its wavelets, and agree in pairs; nothing is augmented.

    Mappers learn to tell from the series' own features what the other two encoders say, and then stand for them: exported is
    [Fourier as told, series, wavelets as told]. In the last `settling` share of the training the encoders stand still and the
    mappers alone learn. `fourier` and `wavelet` weigh the pairs with that projection; 0 leaves it out. `latents` weighs mappers
    of the projected vectors, whose error is divided by the batch once more, as in the code.

    unverified: loss, mappers and transforms were read in eth-siplab/Learning-with-FrameProjections@c7d5b13
    (models/frameworks.py, models/models_nc.py, utils.py) and nothing was run against it.
    Differs: the mappers of the features learn beside the encoders, which their error does not reach, and then alone, where the
    code trains them from scratch in a second stage; smaller encoders of both projections, normalised by sample;
    scales end at half the series' length.
    """

    paper = Paper(
        "Learning Without Augmenting: Unsupervised Time Series Representation Learning via Frame Projections",
        "Demirel, Holz",
        2025,
        "arXiv:2510.22655",
    )
    views = Signal(of={"series": SERIES})
    whole_batch = True
    recipe = Recipe(optimizer="adamw", lr=1e-3, batch=1024, weight_decay=1e-4, epochs=256)
    recipes = {"small": recipe.but(batch=128, epochs=100)}

    def __init__(
        self,
        encoder: Encoder,
        *,
        dim: int = 128,
        temperature: float = 0.15,
        scales: int = 48,
        fourier: float = 1.0,
        wavelet: float = 1.0,
        latents: float = 1.0,
        settling: float = 0.25,
    ):
        super().__init__(encoder)
        positive(dim=dim, temperature=temperature, scales=scales)
        shares(settling=settling)
        if min(fourier, wavelet, latents) < 0 or fourier + wavelet == 0:
            raise TacitError(
                f"fourier, wavelet and latents are {fourier}, {wavelet}, {latents}; give 0 or more, and one above."
            )
        self.temperature, self.scales, self.settling = temperature, scales, settling
        self.fourier, self.wavelet, self.latents = fourier, wavelet, latents
        self.projectors = torch.nn.ModuleList(mlp(encoder.dim, encoder.dim, dim) for _ in range(3))
        self.latent_maps = torch.nn.ModuleList(VectorMap(64) for _ in range(2))
        self.feature_maps = torch.nn.ModuleList(VectorMap(1) for _ in range(2))

    def prepare(self, facts: Facts):
        channels, length = facts.shape
        self.sines = FourierEncoder(channels, self.encoder.dim)
        self.wavelets = ScalogramEncoder(channels, self.encoder.dim, length, self.scales)

    def step(self, batch: Batch):
        (x,) = batch
        series, *others = self.encoder(x), self.sines(x), self.wavelets(x)
        still = [(map_(series.detach()).float(), other.detach().float()) for map_, other in zip(self.feature_maps, others)]
        told = [l1_loss(*both) for both in still]
        if self.progress >= 1 - self.settling:
            return {"fourier_features": told[0], "wavelet_features": told[1]}
        z, f, w = (projector(h) for projector, h in zip(self.projectors, (series, *others)))
        pairs = [(map_(unit(z)).float(), unit(other)) for map_, other in zip(self.latent_maps, (f, w))]
        near = [l1_loss(*pair) / (len(batch) * size()) for pair in pairs]
        return {
            "fourier": (nt_xent(z, f, self.temperature), self.fourier),
            "wavelet": (nt_xent(z, w, self.temperature), self.wavelet),
            "between": (nt_xent(f, w, self.temperature), self.fourier * self.wavelet),
            "fourier_latents": (near[0], self.latents * self.fourier),
            "wavelet_latents": (near[1], self.latents * self.wavelet),
            "fourier_features": told[0],
            "wavelet_features": told[1],
        }

    def represent(self, batch: Batch):
        series = self.encoder(batch.views[0])
        told = [map_(series) for map_ in self.feature_maps]
        return torch.cat([told[0]] * (self.fourier > 0) + [series] + [told[1]] * (self.wavelet > 0), 1)
