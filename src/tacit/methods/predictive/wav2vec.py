"""wav2vec: what comes next in a wave, among what else is in it."""

from math import ceil
from typing import Protocol

from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.objectives.audio.steps_ahead import elsewhere, steps_ahead
from tacit.parts.audio.context import CausalContext
from tacit.views.kinds import Single


class Latents(Encoder, Protocol):
    """n waves -> latents in time, n × t × dim, one for every `stride` samples, each of which sees `field` of them."""

    stride: int
    field: int

    def sequence(self, x: Tensor) -> Tensor: ...


class Wav2Vec(Method):
    """Contexts of what was heard predict the latents of the next steps, told from others of the same sound.

    Contexts, averaged over time, represent. Head j predicts the latent j + 1 places beyond those that overlap with the present
    one, as the released code does where the paper says j. The paper's encoder is 512 wide (`--width`), its batches hold crops
    of 9 seconds (`--seconds`).

    checked: facebookresearch/fairseq@1c3b984
    Differs: every step has a bias of its own, which theirs share; nothing of the released large model (skips, logarithms).
    """

    paper = Paper(
        "wav2vec: Unsupervised Pre-training for Speech Recognition",
        "Schneider, Baevski, Collobert, Auli",
        2019,
        "arXiv:1904.05862",
    )
    views = Single(
        of={"audio": {"speed": (1.0, 1.0), "gain": 0.0, "noise": 0.0, "mix": 0.0, "mask_time": 0.0, "mask_band": 0.0}}
    )
    recipe = Recipe(optimizer="adamw", lr=5e-3, batch=80, warmup=0.05, final_lr=2e-4, epochs=100)
    recipes = {"small": recipe.but(lr=1e-3, batch=64, warmup=1, epochs=30)}

    def __init__(self, encoder: Latents, *, steps: int = 12, negatives_each: int = 10, context_layers: int = 9):
        super().__init__(encoder)
        positive(steps=steps, negatives_each=negatives_each, context_layers=context_layers)
        self.steps, self.negatives = steps, negatives_each
        self.offset = ceil(encoder.field / encoder.stride)
        self.context = CausalContext(encoder.dim, context_layers)
        self.predict = nn.Linear(encoder.dim, steps * encoder.dim)

    def step(self, batch: Batch):
        (wave,) = batch
        z = self.encoder.sequence(wave)
        t = z.shape[1]
        if t <= self.offset:
            raise TacitError(
                f"A view has {t} latents and the first to be predicted lies {self.offset} ahead; give longer views (--seconds)."
            )
        predictions = self.predict(self.context(z)).unflatten(2, (self.steps, -1))
        others = elsewhere(batch.uniform("others", t, self.negatives))
        return steps_ahead(predictions, z, others, self.offset)

    def represent(self, batch: Batch):
        return self.context(self.encoder.sequence(batch.views[0])).mean(1)
