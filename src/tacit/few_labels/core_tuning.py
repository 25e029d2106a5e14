"""Core-tuning: fine-tuning by mixtures of hard samples, with a contrast that looks longest at hard pairs."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Beta
from torch.nn.functional import cross_entropy, one_hot

from tacit.evaluation.labelled.fine_tuning import Part, Tuned, trained, untuned
from tacit.few_labels.tuning import at_the_best_rate
from tacit.method import Paper
from tacit.numerics.exact import unit
from tacit.parts.mlp import mlp

paper = Paper(
    "Unleashing the Power of Contrastive Self-Supervised Visual Models via Contrast-Regularized Fine-Tuning",
    "Zhang, Hooi, Hu, Liang, Feng", 2021, "arXiv:2102.06605",
)  # fmt: skip

ETA, SPREAD, DIM, TEMPERATURE = 0.1, 1.0, 256, 0.07  # of the contrast; of Beta(a, a); of the projection
LEAST = 0.8  # share of the other sample in a semi-hard mixture


def fit(encoder: nn.Module, part: Part, rows: np.ndarray, steps: int, seed: int = 0) -> Tuned:
    """A copy of the encoder with a head, trained on these rows of the part.

    checked: Vanint/Core-tuning@f70e1bf
    Compared: mixtures, and the focal contrast with its gradient, by Core-tuning.py on fixed tensors.
    Differs: the hardest positive is the least similar sample of the class and the hardest negative the most similar one of
    another; there what is neither counts as similarity 0, so that after a ReLU an anchor finds itself. Trained as
    `fine_tuning.trained` says (AdamW on plain views; there SGD of Nesterov with crops, turns and mirrors), the head has a
    bias and begins at zero, and what it sees is less the mean and over the spread that it had before. The last step counts;
    there the one that is best on the test part.
    """
    return at_the_best_rate(lambda some, rate: at(encoder, part, some, rate, steps, seed), part, rows, seed)


def at(encoder: nn.Module, part: Part, rows: np.ndarray, rate: float, steps: int, seed: int) -> Tuned:
    """Trained at one rate."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        model = Contrasted(untuned(encoder, part, rows))
    return trained(model, model.loss, part, rows, rate, steps, seed).tuned


class Contrasted(nn.Module):
    """A tuned encoder with a projector beside its head, which is left behind after the training."""

    def __init__(self, tuned: Tuned):
        super().__init__()
        width = tuned.head.in_features
        self.tuned, self.projector = tuned, mlp(width, width, DIM, norm=False).to(tuned.mean.device)

    def loss(self, x: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy and contrast of samples and their mixtures; the samples themselves do not teach the encoder."""
        features, labels = self.tuned.features(x), one_hot(target, self.tuned.head.out_features).float()
        shares = Beta(SPREAD, SPREAD).sample((2, len(x), 1)).to(features)
        partners = torch.randperm(len(x)).to(x.device)
        mixed, soft = mixtures(features, labels, shares[0].clamp_min(LEAST), shares[1], partners)
        z = unit(self.projector(mixed))
        return cross_entropy(self.tuned.head(mixed), soft) + ETA * focal_contrast(z, soft, TEMPERATURE)


def mixtures(
    features: Tensor, labels: Tensor, semi: Tensor, hard: Tensor, partners: Tensor
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Samples, semi-hard and hard mixtures, 3n × d, and their labels, 3n × C: features n × d, labels one-hot n × C.

    The samples come without gradient. A semi-hard mixture is `semi`, n × 1, of a random partner and the rest of the sample; a
    hard one is `hard`, n × 1, of the sample's hardest positive and the rest of its hardest negative. A sample that has no
    positive, or no negative, stands for it itself.
    """
    n = len(features)
    z = unit(features.detach())
    likeness, alike = z @ z.T, labels @ labels.T > 0.5
    itself = torch.eye(n, dtype=torch.bool, device=features.device)
    positive = likeness.masked_fill(~alike | itself, torch.inf)
    negative = likeness.masked_fill(alike, -torch.inf)
    own = torch.arange(n, device=features.device)
    farthest = torch.where(positive.isfinite().any(1), positive.argmin(1), own)
    nearest = torch.where(negative.isfinite().any(1), negative.argmax(1), own)

    def mixed(rows: Tensor) -> tuple[Tensor, Tensor]:
        return (
            (1 - semi) * rows + semi * rows[partners],
            hard * rows[farthest] + (1 - hard) * rows[nearest],
        )

    return torch.cat([features.detach(), *mixed(features)]), torch.cat([labels, *mixed(labels)])


def focal_contrast(z: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """The supervised contrastive loss, each pair weighted by 1 − p: rows of length one n × d, soft labels n × C -> scalar.

    A pair is positive where its soft labels are the same, which those of two mixtures seldom are. The weight is not cut off
    from the gradient, and the mean over pairs is over all columns, as in the official code; anchors without a positive are
    left out.
    """
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    alike = (torch.cdist(labels, labels, p=torch.inf) < 1e-5) & ~itself
    likeness = (z @ z.T / temperature).masked_fill(itself, -torch.inf)
    told = likeness.log_softmax(1).masked_fill(itself, 0.0)
    each = -((1 - told.exp()) * told * alike).mean(1)
    return each.sum() / alike.any(1).sum().clamp_min(1)
