"""DCLR: negatives that a second model finds alike do not count, and noise where the space is empty does."""

from torch import Tensor

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Method, Paper, Recipe, Stage
from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather
from tacit.objectives.n_pair import n_pair
from tacit.objectives.text.ascent import ascended
from tacit.objectives.text.extra_negatives import extra_negatives
from tacit.parts.sequences.unchanged import TEXT
from tacit.parts.teacher import Teacher
from tacit.parts.text.sentence_head import sentence_head
from tacit.views.kinds import Pair

PAPER = Paper(
    "Debiased Contrastive Learning of Unsupervised Sentence Representations", "Zhou, Zhang, Zhao, Wen", 2022, "arXiv:2205.00656"
)
VIEWS = Pair(of={"text": TEXT})
RECIPE = Recipe(optimizer="adamw", lr=3e-5, batch=128, epochs=3, clip=1.0)
SMALL = Recipe(optimizer="adamw", lr=1e-3, batch=256, epochs=5, warmup=0.5, clip=1.0)


class DCLR(Method):
    """SimCSE without the negatives whose cosine, by a frozen encoder, is above `threshold`, and with noise as further ones.

    A stage of SimCSE, of `warm_up` epochs, trains that encoder, and this one goes on from it, as the authors' large nets do.
    `noises` rows of noise for each text climb the loss by `ascent` steps of `stride`, and are the same for all.

    unverified: weights and noise were compared with cl_vat_forward of RUCAIBox/DCLR@e2c3430 (simcse/models.py) written out
    once more; their program was not run. The loss is the paper's, of which the code differs: it multiplies logits by weights,
    so that what does not count still adds 1, and takes a binary cross-entropy.
    Differs: padding is not attended; what the encoders give, of the native ones a mean of tokens, stands for their poolers'
    answers; `noises` is a whole number; nothing is selected by STS-B; the rate falls by a cosine.
    """

    paper = PAPER
    views = VIEWS
    whole_batch = True
    recipe = RECIPE
    recipes = {"small": SMALL}

    def __init__(
        self, encoder: Encoder, *, temperature: float = 0.05, threshold: float = 0.9, noises: int = 1, ascent: int = 4,
        stride: float = 1e-3,
    ):  # fmt: skip
        super().__init__(encoder)
        positive(temperature=temperature, stride=stride)
        if min(noises, ascent) < 0:
            raise TacitError(f"noises is {noises} and ascent {ascent}; both count, so give 0 or more.")
        self.projector = sentence_head(encoder.dim)
        self.complement = Teacher(encoder)  # type: ignore[arg-type]  # a module, whatever else it offers
        self.temperature, self.threshold = temperature, threshold
        self.noises, self.ascent, self.stride = noises, ascent, stride

    @classmethod
    def stages(cls, *, warm_up: int = 3, **own):  # type: ignore[override]
        if warm_up:
            yield Stage(Complement, recipe=RECIPE.but(epochs=warm_up), temperature=own.get("temperature", 0.05))
        yield Stage(cls, **own)

    def step(self, batch: Batch):
        first, second = (self.projector(self.encoder(view)) for view in batch)
        with full_precision():
            like, other = (unit(self.complement(view)) for view in batch)
            counts = like @ gather(other).T <= self.threshold
            return extra_negatives(first, second, self._noise(batch, first, second), counts, self.temperature)

    def _noise(self, batch: Batch, first: Tensor, second: Tensor) -> Tensor:
        """Rows for all processes, alike on each: N · noises × d."""
        drawn = gather(batch.normal("noise", self.noises, first.shape[1]).flatten(0, 1))
        z1, z2 = (gather(z.detach()) for z in (first, second))
        return ascended(drawn, z1, z2, self.temperature, self.ascent, self.stride)


class Complement(Method):
    """The warm-up: SimCSE, whose encoder then says which negatives are none."""

    paper = PAPER
    views = VIEWS
    whole_batch = True
    recipe = RECIPE

    def __init__(self, encoder: Encoder, *, temperature: float = 0.05):
        super().__init__(encoder)
        self.projector = sentence_head(encoder.dim)
        self.temperature = temperature

    def step(self, batch: Batch):
        first, second = (unit(self.projector(self.encoder(view))) for view in batch)
        return n_pair(first[None], second[None], 1 / self.temperature)
