"""Point-MAE: masked autoencoder of point clouds."""

from tacit.errors import TacitError, positive
from tacit.method import Batch, Method, Paper, Recipe, Tokens
from tacit.numerics.points import chamfer
from tacit.parts.group_decoder import GroupDecoder
from tacit.parts.patches import take
from tacit.views.kinds import MaskedGroups


class PointMAE(Method):
    """Most groups of points are hidden; the encoder sees the others, and a small decoder says what points the hidden ones have.

    `drawn` points are predicted of each hidden group, in the paper as many as it has. The paper's encoder has 12
    layers of width 384; its views are 1024 points in 64 groups of 32 (`--points`, `--mask-patches`, `--mask-points`).

    unverified: nothing was compared with the authors' code.
    Differs: positions are added once, not before every layer, in encoder and decoder; the mean of the tokens represents, where
    the paper lays mean and maximum side by side.
    """

    paper = Paper(
        "Masked Autoencoders for Point Cloud Self-supervised Learning",
        "Pang, Wang, Tay, Liu, Tian, Yuan",
        2022,
        "arXiv:2203.06604",
    )
    views = MaskedGroups(of={"cloud": {"crop": (1.0, 1.0), "jitter": 0.0, "mask_ratio": 0.6}})
    recipe = Recipe(optimizer="adamw", lr=1e-3, batch=128, weight_decay=0.05, warmup=10, epochs=300)
    recipes = {"small": recipe.but(warmup=2, epochs=20, options={"decoder_depth": 2, "decoder_heads": 3, "drawn": 16})}

    def __init__(self, encoder: Tokens, *, decoder_depth: int = 4, decoder_heads: int = 6, drawn: int = 32):
        super().__init__(encoder)
        positive(decoder_depth=decoder_depth, decoder_heads=decoder_heads, drawn=drawn)
        if encoder.dim % decoder_heads:
            raise TacitError(f"decoder_heads is {decoder_heads}; give a divisor of the encoder's width, {encoder.dim}.")
        self.decoder = GroupDecoder(encoder.dim, decoder_depth, decoder_heads, drawn)

    def step(self, batch: Batch):
        (groups,), (drawn,) = batch, batch.params
        keep, hidden = drawn["keep"], drawn["mask"].nonzero()[:, 1].view(len(batch), -1)
        kept, asked = take(groups.centres, keep), take(groups.centres, hidden)
        prediction = self.decoder(self.encoder.tokens(groups, keep), kept, asked)
        there = take(groups.points.flatten(2), hidden).unflatten(2, groups.points.shape[2:])
        return chamfer(prediction.float(), there.float()).mean()
