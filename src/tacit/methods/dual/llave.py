"""LLaVE."""

from tacit.errors import TacitError, positive
from tacit.method import Batch, Dual, Method, Paper, Recipe
from tacit.objectives.dual.hardness_weighted import hardness_weighted
from tacit.parts.sequences.unchanged import IMAGE, TEXT
from tacit.views.kinds import Paired


class LLaVE(Method):
    """Images and texts find each other, and the harder a negative is, the more it counts.

    `alpha` says how much more: 0 is InfoNCE. Images are seen whole and unchanged, captions too.

    checked: DeepLearnXMU/LLaVE@2c23053
    Compared: loss and gradient (WeightedClipLoss of llava/model/language_model/loss.py).
    Differs: the paper embeds images, texts and both together by one large model that reads images (LLaVA-OneVision), of which
    there are two small encoders here, trained from nothing; the rate falls by a cosine after a warm-up of 3 % as there.
    """

    paper = Paper(
        "LLaVE: Large Language and Vision Embedding Models with Hardness-Weighted Contrastive Learning",
        "Lan, Niu, Meng, Zhou, Su",
        2025,
        "arXiv:2503.04812",
    )
    views = Paired(of={"pair": {"image": IMAGE, "text": TEXT}})
    whole_batch = True
    recipe = Recipe(optimizer="adamw", lr=1e-5, batch=32, epochs=1, warmup=0.03, clip=1.0)
    recipes = {"small": Recipe(optimizer="adamw", lr=1e-3, batch=256, weight_decay=1e-2, epochs=60, warmup=3, clip=1.0)}

    def __init__(self, encoder: Dual, *, temperature: float = 0.02, alpha: float = 9.0):
        super().__init__(encoder)  # type: ignore[arg-type]  # the base knows encoders of one part
        positive(temperature=temperature)
        if alpha < 0:
            raise TacitError(f"alpha is {alpha}; give 0 (all negatives count alike) or more.")
        self.temperature, self.alpha = temperature, alpha

    def step(self, batch: Batch):
        image, text = batch
        return hardness_weighted(self.encoder.first(image), self.encoder.second(text), self.temperature, self.alpha)
