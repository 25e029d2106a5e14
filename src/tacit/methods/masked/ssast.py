"""SSAST: hidden patches of a spectrogram, told apart and drawn."""

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.objectives.audio.among_hidden import among_hidden
from tacit.parts.audio.clusters import clustered
from tacit.parts.patches import take
from tacit.views.kinds import Single


class Patched(Encoder, Protocol):
    """A transformer over patches of `area` numbers in `rows` rows: from what they hold to tokens, and through its layers."""

    area: int
    rows: int
    embed: nn.Module

    def patches(self, x: Tensor) -> Tensor: ...

    def positions(self, count: int) -> Tensor: ...

    def attended(self, tokens: Tensor) -> Tensor: ...


class SSAST(Method):
    """In the place of hidden patches stands one learned token; of what comes out there, one head says which of the sample's
    hidden patches it is, another what the patch holds. Each has a mask of its own.

    `cluster` is the range of the side of hidden blocks; (1, 1) hides single patches, which the paper does where a patch spans
    all bands. The paper's views are of 10 seconds, 128 bands in patches of 16 × 16, of 512 of which 400 are hidden.

    checked: YuanGongND/ssast@a1a3eec
    Differs: how blocks end (`parts/audio/clusters.py`); fixed positions, no class tokens; Adam with decoupled weight decay.
    """

    paper = Paper("SSAST: Self-Supervised Audio Spectrogram Transformer", "Gong, Lai, Chung, Glass", 2021, "arXiv:2110.09784")
    views = Single(
        of={"audio": {"speed": (1.0, 1.0), "gain": 0.0, "noise": 0.0, "mix": 0.0, "mask_time": 0.0, "mask_band": 0.0}}
    )
    recipe = Recipe(optimizer="adamw", lr=5e-4, batch=120, momentum=0.95, weight_decay=5e-7, warmup=0.5, epochs=10)
    recipes = {"small": recipe.but(batch=64, warmup=2, epochs=40)}

    def __init__(
        self,
        encoder: Patched,
        *,
        hidden_share: float = 0.78,
        cluster: tuple[int, int] = (3, 5),
        telling: float = 1.0,
        drawing: float = 10.0,
    ):
        super().__init__(encoder)
        positive(hidden_share=hidden_share)
        if hidden_share >= 1 or not 1 <= cluster[0] <= cluster[1] or min(telling, drawing) < 0 or telling + drawing == 0:
            raise TacitError(
                f"hidden_share is {hidden_share}, cluster {cluster}, telling {telling} and drawing {drawing}; give a share "
                "below 1, two sides of 1 or more, the smaller first, and two weights of 0 or more, not both 0."
            )
        self.share, self.cluster, self.weights = hidden_share, cluster, (telling, drawing)
        self.stand_in = nn.Parameter(torch.empty(1, 1, encoder.dim))
        nn.init.xavier_normal_(self.stand_in)
        self.tell, self.draw = (nn.Sequential(*_head(encoder.dim, encoder.area)) for _ in range(2))

    def step(self, batch: Batch):
        (wave,) = batch
        patches = self.encoder.patches(wave)
        found, wanted = self.hide(patches, batch, "told")
        drawn, there = self.hide(patches, batch, "drawn")
        telling, drawing = self.weights
        return {
            "told": (among_hidden(self.tell(found), wanted), telling),
            "drawn": (F.mse_loss(self.draw(drawn).float(), there), drawing),
        }

    def hide(self, patches: Tensor, batch: Batch, name: str) -> tuple[Tensor, Tensor]:
        """What comes out where patches are hidden, n × h × dim, and what they hold, n × h × area."""
        count = patches.shape[1]
        hidden = min(max(round(self.share * count), 2), count - 1)
        place = clustered(batch.uniform(name, 1 + 2 * count), self.encoder.rows, hidden, self.cluster)
        mask = torch.zeros(patches.shape[:2], dtype=torch.bool, device=patches.device).scatter_(1, place, True)
        embedded = self.encoder.embed(patches)
        tokens = torch.where(mask[:, :, None], self.stand_in.to(embedded.dtype), embedded) + self.encoder.positions(count)
        return take(self.encoder.attended(tokens), place), take(patches / 2, place)  # the paper divides by 2 deviations


def _head(width: int, area: int) -> tuple[nn.Module, ...]:
    return nn.Linear(width, width), nn.ReLU(), nn.Linear(width, area)
