"""What SCAN ends with: samples of which it is sure teach it how they look otherwise."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tacit.errors import shares
from tacit.method import Batch, Encoder, Method, Recipe
from tacit.methods.clustering.scan.paper import PAPER
from tacit.numerics.processes import size, total
from tacit.parts.sequences.unchanged import UNCHANGED
from tacit.views.kinds import Fixed, Pair


class SelfLabel(Method):
    """The cluster of a sample as it is, where it is surer than `threshold`, is what a look at it is to be told as."""

    paper, whole_batch = PAPER, True
    views = Pair(of={kind: (Fixed(plain), {}) for kind, plain in UNCHANGED.items()})
    recipe = Recipe(optimizer="adamw", lr=1e-4, batch=1000, weight_decay=1e-4, schedule="constant", epochs=200)
    recipes = {"small": recipe.but(batch=256, epochs=20)}

    def __init__(self, encoder: Encoder, *, head: Tensor, threshold: float = 0.99):
        super().__init__(encoder)
        shares(threshold=threshold)
        self.head, self.threshold = nn.Linear(encoder.dim, len(head)), threshold
        with torch.no_grad():
            self.head.weight.copy_(head[:, :-1])
            self.head.bias.copy_(head[:, -1])

    def step(self, batch: Batch):
        plain, look = batch
        with torch.no_grad():
            sure = self.head(self.encoder(plain)).float().softmax(1)
        return taught(sure, self.head(self.encoder(look)).float(), self.threshold)

    def predict(self, view: Tensor) -> Tensor:
        """The cluster of each sample: int64, n."""
        return self.head(self.encoder(view)).argmax(1)


def taught(sure: Tensor, told: Tensor, threshold: float) -> Tensor:
    """Cross entropy with labels that are sure, all that occur weighing alike: probabilities and logits, n × k each -> scalar.

    Of all processes; 0 where nothing is sure.
    """
    most, label = sure.max(1)
    kept = (most > threshold).float()
    count = total(torch.zeros_like(sure[0]).index_add_(0, label, kept))
    each = kept / count[label].clamp_min(1) * cross_entropy(told, label, reduction="none")
    return each.sum() * size() / (count > 0).sum().clamp_min(1)
