"""What the slow copy says of the large crops, and of those parts of them that other crops show too."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive, shares
from tacit.methods.self_distillation.udi.places import Crop, shown
from tacit.methods.self_distillation.udi.said import Said
from tacit.numerics.exact import full_precision
from tacit.numerics.processes import total

MOMENTUM = 0.9  # of the running means


class Heard(NamedTuple):
    """Scores of two large crops of n images before centring, for each of which v other crops ask."""

    whole: Tensor  # 2 × n × k
    blends: Tensor  # 2 × v × n × k: of the parts that a crop and this one show, averaged, and of the whole
    parts: Tensor  # 2 × n × s × k: of the places that were sampled in the other large crop
    within: Tensor  # bool, 2 × n × s: whether this crop shows them
    sums: Tensor  # 2 × 3 × k: of the scores of each kind, those of parts asked for by small crops among them
    counts: Tensor  # 2 × 3: how many they are


@torch.no_grad()
def heard(copy: Said, patches: Tensor, crops: Sequence[Crop], share: float) -> Heard:
    """Tokens of the large crops' patches 2 × n × t × d, all crops, the large ones first, and the share of parts in a blend."""
    others = [[crop for v, crop in enumerate(crops) if v != t] for t in range(2)]
    each = (_asked(copy, patches[t], crops[t], others[t], share) for t in range(2))
    return Heard(*map(torch.stack, zip(*each)))


def _asked(copy: Said, patches: Tensor, crop: Crop, others: Sequence[Crop], share: float) -> Heard:
    """Of one large crop. Where it shows nothing of another the parts count as 0, as in the released code."""
    whole = copy.head(copy.whole(patches)[:, 0])
    where, within = zip(*(shown(other.places, crop) for other in others))
    scores, known = copy.head(copy.parts(patches, torch.cat(where, 1))), torch.cat(within, 1)
    counted, sizes = scores * known[:, :, None], [mask.shape[1] for mask in within]
    pieces = zip(counted.split(sizes, 1), within)
    means = torch.stack([part.sum(1) / (mask.sum(1, keepdim=True) + 1e-5) for part, mask in pieces])
    blends = share * means + (1 - share) * whole
    sums = torch.stack([whole.sum(0), blends.sum((0, 1)), counted.sum((0, 1))])
    counts = torch.stack([torch.full_like(sums[0, 0], len(rows)) for rows in (whole, blends.flatten(0, 1))] + [known.sum()])
    return Heard(whole, blends, scores[:, : sizes[0]], within[0], sums, counts)


class Centring(nn.Module):
    """Cross-entropies with the copy's scores, less their running means and sharpened; of each kind a mean.

    sharpening  the copy's temperatures at first and from the share `warm` of the training on, between which they rise
    """

    means: Tensor
    sums: Tensor
    counts: Tensor

    def __init__(self, k: int, temperature: float, sharpening: tuple[float, float], warm: float):
        super().__init__()
        positive(temperature=temperature)
        shares(warm=warm)
        if len(sharpening) != 2 or min(sharpening) <= 0:
            raise TacitError(f"sharpening is {list(sharpening)}; give two temperatures above 0, at first and after warming.")
        self.register_buffer("means", torch.zeros(3, k))
        self.register_buffer("sums", torch.zeros(3, k), persistent=False)  # of the batch
        self.register_buffer("counts", torch.zeros(3), persistent=False)
        self.temperature, self.sharpening, self.warm = temperature, sharpening, warm

    def forward(self, scores: Tensor, answers: Tensor, kind: int, progress: float) -> Tensor:
        """The copy's answers, told from scores: … × k twice -> …."""
        start, end = self.sharpening
        sharpness = start + (end - start) * min(progress / max(self.warm, 1e-9), 1.0)
        with full_precision():
            codes = ((answers - self.means[kind]) / sharpness).softmax(-1)
            return -(codes * (scores / self.temperature).log_softmax(-1)).sum(-1)

    def hear(self, scores: Heard) -> None:
        """Count what the copy said on all processes."""
        self.sums += total(scores.sums.sum(0))
        self.counts += total(scores.counts.sum(0))

    def move(self) -> None:
        """The means, towards what was heard since the last time."""
        self.means.lerp_(self.sums / self.counts.clamp_min(1)[:, None], 1 - MOMENTUM)
        self.sums.zero_()
        self.counts.zero_()
