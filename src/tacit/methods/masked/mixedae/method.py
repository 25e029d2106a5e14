"""MixedAE: patches of several images make one; what each image lacks is drawn, and patches know which others are of theirs."""

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Facts, Method, Paper, Recipe, Tokens
from tacit.methods.masked.mixedae.most_alike import MostAlike
from tacit.objectives.dense.own_image import own_image
from tacit.objectives.hidden import hidden_patches
from tacit.parts.decoder import Decoder
from tacit.parts.patches import cut, side_of_patches, take
from tacit.views.kinds import Raster


class MixedAE(Method):
    """Every `mixed` images in a row make one, to which each gives equally many patches; a learned segment tells which image a
    patch is of. In every layer a patch reads only those that it scores highest, the share `attended`. A small decoder draws of
    each image what the mixture lacks, and what is said of a patch must find what is said of the others of its own image among
    all of the mixture (weight `recognition`).

    unverified: no official code was found, and of the paper its beginning could be read. That four are mixed, as many keys read
    as an image has patches, answers themselves compared, and the weight 0.1 are the catalogue's; the temperature, that every
    layer chooses keys, and that all are read when an image is represented are assumed.
    Differs: segments are added to pixels of patches, and enter as the first layer sees them; no class token.
    """

    paper = Paper(
        "Mixed Autoencoder for Self-supervised Visual Representation Learning",
        "Chen, Liu, Hong, Xu, Li, Yeung",
        2023,
        "arXiv:2303.17152",
    )
    views = Raster(of={"image": {"crop": (0.2, 1.0), "jitter": 0.0, "grey": 0.0, "blur": 0.0}})
    recipe = Recipe(lr=1.5e-4, scale="linear", batch=4096, weight_decay=0.05, beta2=0.95, warmup=40, epochs=800)
    small = Recipe(lr=1e-3, batch=256, weight_decay=0.05, beta2=0.95, warmup=2, epochs=20)
    recipes = {"small": small.but(options={"decoder_width": 96, "decoder_depth": 2, "decoder_heads": 3})}

    def __init__(
        self,
        encoder: Tokens,
        *,
        mixed: int = 4,
        attended: float = 0.25,
        recognition: float = 0.1,
        temperature: float = 0.25,
        decoder_width: int = 512,
        decoder_depth: int = 8,
        decoder_heads: int = 16,
        standardise: bool = True,
    ):
        super().__init__(encoder)
        positive(attended=attended, temperature=temperature)
        shares(attended=attended, recognition=recognition)
        if mixed < 2:
            raise TacitError(f"mixed is {mixed}; give 2 or more images of which one is made, else nothing of them is missing.")
        self.patch, self.decoder_of = side_of_patches(encoder), (decoder_width, decoder_depth, decoder_heads)
        self.mixed, self.attended, self.standardise = mixed, attended, standardise
        self.recognition, self.temperature = recognition, temperature

    def prepare(self, facts: Facts):
        channels, height, width = facts.shape
        self.grid = height // self.patch, width // self.patch
        if (count := self.grid[0] * self.grid[1]) % self.mixed or count < 2 * self.mixed:
            raise TacitError(
                f"Images of {count} patches came and each of {self.mixed} shows equally many, two or more; "
                "give another --mixed, or images of more patches."
            )
        self.segments = nn.Parameter(torch.zeros(self.mixed, channels, self.patch, self.patch))
        self.decoder = Decoder(self.encoder.dim, *self.decoder_of, self.grid, channels * self.patch**2)

    def step(self, batch: Batch):
        (view,) = batch
        patches = cut(view, self.patch)  # n × t × d
        if len(view) % self.mixed:
            raise TacitError(
                f"{len(view)} images came where each mixture takes {self.mixed}; give a --batch whose share for every process "
                f"and micro-batch is a multiple of {self.mixed}."
            )
        order = batch.uniform("shown", patches.shape[1])[:: self.mixed].argsort(1)
        keep = order.unflatten(1, (self.mixed, -1)).flatten(0, 1)  # n × t / mixed
        missing = torch.ones_like(patches[:, :, 0], dtype=torch.bool).scatter(1, keep, False)
        with MostAlike(self.attended) as attention:
            tokens = self.encoder.tokens(self.mixture(view, ~missing))  # n / mixed × t × dim
        attention.needed()
        own = take(tokens.repeat_interleave(self.mixed, 0), keep)
        drawing = hidden_patches(self.decoder(own, keep), patches, missing, self.standardise)
        recognised = own_image(own.unflatten(0, (-1, self.mixed)), self.temperature)
        return {"drawing": drawing, "recognition": (recognised, self.recognition)}

    def mixture(self, images: Tensor, shown: Tensor) -> Tensor:
        """Of images n × c × h × w, of which patches are shown (bool, n × t), n / mixed mixtures with their segments."""
        where = shown.unflatten(1, self.grid).repeat_interleave(self.patch, 1).repeat_interleave(self.patch, 2)
        told = images.unflatten(0, (-1, self.mixed)) + self.segments.tile(1, 1, *self.grid)
        return (told * where[:, None].unflatten(0, (-1, self.mixed))).sum(1)

    def represent(self, batch: Batch):
        return self.encoder.tokens(batch.views[0]).mean(1)
