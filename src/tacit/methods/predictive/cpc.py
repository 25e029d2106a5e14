"""CPC: contrastive predictive coding."""

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.method import Batch, Method, Paper, Recipe
from tacit.numerics.processes import gather
from tacit.objectives.sequences.latent_prediction import latent_prediction
from tacit.parts.sequences.unchanged import SERIES
from tacit.parts.sequences.wanted import Sequential
from tacit.views.kinds import Single


class CPC(Method):
    """What a recurrent network has heard so far tells the latents to come from latents of other times and other samples.

    `ahead` latents are predicted after each moment, each by a linear map of its own, against `negatives` drawn once for all of
    them: from any sample of the batch, at any time but the moment's own. A sample is represented by the mean over time of what
    the recurrent network says, `memory` wide (0: as wide as the latents).

    unverified: DeepMind released no code; sampling of negatives, positives and scores were read in
    facebookresearch/CPC_audio@b98a1bd:cpc/criterion/criterion.py, and nothing was run against it.
    Differs from that: scores are products as in the paper's equation 3, where it divides them by the width of a latent, with
    which generated rhythms were not learned; batches mix speakers, where its default keeps to one. Differs from the paper:
    views of series are whole series, not random windows; the mean over time represents, where speakers were told by the last.
    """

    paper = Paper(
        "Representation Learning with Contrastive Predictive Coding", "van den Oord, Li, Vinyals", 2018, "arXiv:1807.03748"
    )
    views = Single(of={"series": SERIES})
    whole_batch = True
    recipe = Recipe(optimizer="adamw", lr=2e-4, batch=64, schedule="constant", epochs=100)
    recipes = {"small": recipe.but(lr=1e-3, epochs=60, options={"ahead": 3, "negatives": 64})}

    def __init__(self, encoder: Sequential, *, ahead: int = 12, negatives: int = 128, memory: int = 0):
        super().__init__(encoder)
        positive(ahead=ahead, negatives=negatives)
        if memory < 0:
            raise TacitError(f"memory is {memory}; give the width of what is remembered, or 0 for that of the latents.")
        self.ahead, self.negatives = ahead, negatives
        self.recurrent = nn.GRU(encoder.dim, memory or encoder.dim, batch_first=True)
        self.predictors = nn.Linear(memory or encoder.dim, ahead * encoder.dim, bias=False)  # all steps' maps side by side

    def step(self, batch: Batch):
        return latent_prediction(*self.told(batch)).sum()

    def told(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Predictions n × m × ahead × d, latents n × t × d, and the negatives n × m × q × d of each moment."""
        latents = self.encoder.sequence(batch.views[0])
        _, length, dim = latents.shape
        moments = length - self.ahead
        if moments < 1:
            raise TacitError(
                f"Views give {length} latents and the next {self.ahead} are to be predicted; give --ahead "
                f"{max(length - 1, 1)} or less, or longer views."
            )
        context, _ = self.recurrent(latents[:, :moments])
        predictions = self.predictors(context).unflatten(2, (self.ahead, dim))
        everyone = gather(latents.contiguous())
        draws = batch.uniform("negatives", moments, self.negatives, 2)
        now = torch.arange(moments, device=latents.device)[:, None]
        whose = (draws[..., 0] * len(everyone)).long()
        when = (now + 1 + (draws[..., 1] * (length - 1)).long()) % length
        return predictions, latents, everyone[whose, when]

    def represent(self, batch: Batch):
        context, _ = self.recurrent(self.encoder.sequence(batch.views[0]))
        return context.mean(1)
