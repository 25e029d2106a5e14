"""MAE: masked autoencoder."""

from tacit.errors import TacitError
from tacit.method import Batch, Facts, Method, Paper, Recipe, Tokens
from tacit.objectives.hidden import hidden_patches
from tacit.parts.decoder import Decoder
from tacit.parts.patches import side_of_patches
from tacit.parts.sequences.stretches import pieces
from tacit.views.kinds import Masked


class MAE(Method):
    """Most patches are hidden; the encoder sees the others, and a small decoder draws what is missing.

    Of a series a patch is a stretch of all its channels, half of them hidden unless --mask-ratio says otherwise.

    `standardise` predicts every patch by its own mean and deviation, as the released pre-training does.

    checked: facebookresearch/mae@efb2a80
    Compared: which patches are kept for given noise; loss and gradient of a whole step, encoder and decoder, for the same
    weights; the criterion with and without `standardise`. The official layers ran without their class token.
    Differs: no class token reaches the decoder or is the representation, which is the mean of the tokens; no biases on
    queries, keys and values of the decoder; crops are resized bilinearly, not bicubically.
    """

    paper = Paper(
        "Masked Autoencoders Are Scalable Vision Learners", "He, Chen, Xie, Li, Dollár, Girshick", 2021, "arXiv:2111.06377"
    )
    views = Masked(of={"image": {"crop": (0.2, 1.0), "jitter": 0.0, "grey": 0.0, "blur": 0.0, "mask_ratio": 0.75}})
    recipe = Recipe(
        optimizer="adamw", lr=1.5e-4, scale="linear", batch=4096, weight_decay=0.05, beta2=0.95, warmup=40, epochs=800
    )
    small = Recipe(optimizer="adamw", lr=1e-3, batch=256, weight_decay=0.05, beta2=0.95, warmup=2, epochs=20)
    recipes = {"small": small.but(options={"decoder_width": 96, "decoder_depth": 2, "decoder_heads": 3})}

    def __init__(
        self,
        encoder: Tokens,
        *,
        decoder_width: int = 512,
        decoder_depth: int = 8,
        decoder_heads: int = 16,
        standardise: bool = True,
    ):
        super().__init__(encoder)
        self.patch = side_of_patches(encoder)
        self.decoder_of = decoder_width, decoder_depth, decoder_heads
        self.standardise = standardise

    def prepare(self, facts: Facts):
        channels, *sides = facts.shape
        down, across = (1, *(side // self.patch for side in sides))[-2:]
        self.decoder = Decoder(self.encoder.dim, *self.decoder_of, (down, across), channels * self.patch ** len(sides))

    def step(self, batch: Batch):
        (view,), (drawn,) = batch, batch.params
        mask, keep = drawn["mask"], drawn["keep"]
        patches = pieces(view, self.patch)
        if mask.shape[1] != patches.shape[1]:
            raise TacitError(
                f"The mask is of {mask.shape[1]} patches and the encoder cuts {patches.shape[1]}; "
                f"give --mask-patch {self.patch}."
            )
        prediction = self.decoder(self.encoder.tokens(view, keep), keep)
        return hidden_patches(prediction, patches, mask, self.standardise)

    def represent(self, batch: Batch):
        return self.encoder.tokens(batch.views[0]).mean(1)  # a class token, where the encoder has one, is in no loss
