"""The mean classifier, and how well the contrastive loss bounds its loss (Arora et al. 2019)."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError, positive
from tacit.evaluation.intervals import bootstrap, subsample, wilson
from tacit.evaluation.number import Number, missing
from tacit.numerics import counter

Loss = Callable[[Tensor], Tensor]  # margins … × k -> …; convex, and 1 where all margins are 0

ANCHORS = 4096  # at most
CELLS = 1 << 22  # scores and draws held at once


def hinge(margins: Tensor) -> Tensor:
    """max(0, 1 + max_i −v_i) of margins … × k."""
    return (1 - margins.amin(-1)).clamp_min(0)


def logistic(margins: Tensor) -> Tensor:
    """log₂(1 + Σ_i exp(−v_i)) of margins … × k: to base 2, so that one margin of 0 costs 1."""
    padded = torch.nn.functional.pad(-margins, (0, 1))
    return padded.logsumexp(-1) / np.log(2)


class Bound(NamedTuple):
    """Each anchor's mean over its draws, float64, m; and what is known of the draws."""

    unsupervised: Tensor  # the contrastive loss, whose mean is L_un
    supervised: Tensor  # the mean classifier's loss on the task of a draw, 0 where a negative is of the anchor's class
    collision: float  # τ, the chance that a negative is of the anchor's class

    @property
    def l_un(self) -> float:
        return float(self.unsupervised.mean())

    @property
    def l_sup(self) -> float:
        """Over the tasks without collision."""
        return float(self.supervised.mean()) / (1 - self.collision)

    @property
    def bound(self) -> float:
        """(L_un − τ) / (1 − τ)."""
        return (self.l_un - self.collision) / (1 - self.collision)


def mean_classifier_accuracy(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Number:
    """Accuracy of argmax_c f(x)·μ_c with the means μ of the train classes, no bias, no normalisation: n × d and m × d.

    Arora et al. 2019, arXiv:1902.09229, section 2: all classes at once, their TOP-1. A tie goes to the smallest label;
    a test label that no train sample has counts as an error.
    """
    _check(train, train_labels, test, test_labels)
    if not len(train) or not len(test):
        return missing("mean_classifier_accuracy", f"there are {len(train)} train and {len(test)} test embeddings.")
    classes, means = _means(train, train_labels)
    winners = torch.cat([(tile.double() @ means.T).argmax(1) for tile in test.split(4096)])
    hits = int((classes[winners] == test_labels).sum())
    protocol = {
        "train": len(train),
        "test": len(test),
        "classes": len(classes),
        "features": "as they are, neither centred nor normalised",
        "interval": "Wilson, 95 %",
    }
    return Number("mean_classifier_accuracy", hits / len(test), *wilson(hits, len(test)), protocol)


def mean_classifier_gap(
    train: Tensor,
    train_labels: Tensor,
    test: Tensor,
    test_labels: Tensor,
    loss: Loss = hinge,
    negatives: int = 1,
    block: int = 1,
    draws: int = 32,
    seed: int = 0,
) -> Number:
    """(L_un − τ) / (1 − τ) − L_sup: how far the bound of Arora et al. lies above the mean classifier's loss.

    What is measured, and on which draws, says `bound`. In expectation never below 0; far above it the bound says little.
    Its scale is that of the loss on features as they are, so compare at an equal norm only (`largest_norm` in the protocol).
    """
    known = torch.isin(test_labels, train_labels)
    if len(train_labels.unique()) < 2 or not bool(known.any()):
        return missing("mean_classifier_gap", "at least two classes in the train part are needed, and one in the test part.")
    found = bound(train, train_labels, test, test_labels, loss, negatives, block, draws, seed)
    each = ((found.unsupervised - found.collision - found.supervised) / (1 - found.collision)).cpu().numpy()
    protocol = {
        "anchors": len(each),
        "left_out": f"{int((~known).sum())} test samples of classes that the train part lacks",
        "classes": len(train_labels.unique()),
        "loss": loss.__name__,
        "negatives": negatives,
        "block": block,
        "draws": draws,
        "seed": seed,
        "tau": found.collision,
        "l_un": found.l_un,
        "l_sup": found.l_sup,
        "bound": found.bound,
        "largest_norm": float(test.float().norm(dim=1).max()),
        "features": "as they are, neither centred nor normalised",
        "interval": "bootstrap over anchors, 1000 resamples, 95 %",
    }
    return Number("mean_classifier_gap", float(each.mean()), *bootstrap(each, "mean_classifier_gap"), protocol)


def bound(
    train: Tensor,
    train_labels: Tensor,
    test: Tensor,
    test_labels: Tensor,
    loss: Loss = hinge,
    negatives: int = 1,
    block: int = 1,
    draws: int = 32,
    seed: int = 0,
) -> Bound:
    """The two sides of L_sup(mean classifier) ≤ (L_un − τ) / (1 − τ); features n × d and m × d, labels int64.

    Arora et al. 2019, arXiv:1902.09229, theorem 4.1, and its forms with several negatives and blocks. An anchor is a
    test sample x of class c, and each of its `draws` is of `negatives` classes from the marginal of the train part, of
    `block` train samples x⁻ of each of them and as many x⁺ of c. L_un is the mean of loss(v), v_i = f(x)·(mean f(x⁺) − mean
    f(x⁻_i)); τ = Σ ρ_c (1 − (1 − ρ_c)^k), which is Σ ρ_c² for k = 1 negative. L_sup is that of the rows μ of train means,
    loss(f(x)·(μ_c − μ_j)) over the task of the classes j that were drawn, each once, where none is c.

    Since pairs are drawn from the train part with replacement and the means are of the same samples, Jensen's inequality
    makes the bound hold on every finite sample but for the noise of the draws, which both sides share: there is no
    generalisation term to leave out. Anchors are at most 4096, drawn by counter; a class that the train part lacks has none.
    """
    _check(train, train_labels, test, test_labels)
    positive(negatives=negatives, block=block, draws=draws)
    kept = torch.isin(test_labels, train_labels).nonzero().flatten()
    kept = kept[torch.from_numpy(subsample(len(kept), ANCHORS, "mean classifier")).to(kept.device)]
    classes, means = _means(train, train_labels)
    if len(classes) < 2 or not len(kept):
        raise TacitError(f"A bound got {len(classes)} train classes and {len(kept)} test samples of them; 2 and 1 are needed.")
    order = train_labels.argsort(stable=True)
    counts = train_labels.unique(return_counts=True)[1]
    starts = counts.cumsum(0) - counts
    keys = train[order].double()  # in blocks of a class
    target = torch.searchsorted(classes, test_labels[kept])
    rho = counts.double() / len(train)
    unsupervised, supervised = [], []
    widest = max(len(train), draws * (negatives + 1) * (block + negatives))
    for rows in torch.arange(len(kept), device=kept.device).split(max(1, CELLS // widest)):
        x, own = test[kept[rows]].double(), target[rows]
        key = counter.key(seed, "mean classifier")
        shape = (len(rows), draws, negatives + 1, block + 1)
        noise = torch.from_numpy(counter.uniform(key, rows.cpu().numpy(), int(np.prod(shape[1:]))).reshape(shape)).to(x)
        others = torch.searchsorted(rho.cumsum(0), noise[:, :, 1:, 0].contiguous(), right=True).clamp_(max=len(rho) - 1)
        drawn = torch.cat([own[:, None, None].expand(-1, draws, 1), others], 2)  # rows × draws × (1 + negatives)
        members = starts[drawn][..., None] + (noise[..., 1:] * counts[drawn][..., None]).long()
        blocks = (x @ keys.T).gather(1, members.flatten(1)).view(members.shape).mean(-1)
        towards = (x @ means.T).gather(1, drawn.flatten(1)).view(drawn.shape)
        repeated = (others[..., :, None] == others[..., None, :]).tril(-1).any(-1)
        margins = (towards[..., :1] - towards[..., 1:]).masked_fill(repeated, torch.inf)
        apart = (others != own[:, None, None]).all(-1)
        unsupervised.append(loss(blocks[..., :1] - blocks[..., 1:]).mean(1))
        supervised.append((loss(margins) * apart).mean(1))
    chances = 1 - (1 - rho[target]) ** negatives
    return Bound(torch.cat(unsupervised), torch.cat(supervised), float(chances.mean()))


def _means(features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The classes, sorted, and their means: float64, classes × d."""
    classes, target, counts = labels.unique(return_inverse=True, return_counts=True)
    sums = torch.zeros(len(classes), features.shape[1], dtype=torch.float64, device=features.device)
    for tile, rows in zip(features.split(4096), target.split(4096)):
        sums.index_add_(0, rows, tile.double())
    return classes, sums / counts[:, None]


def _check(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> None:
    for name, x, y in (("train", train, train_labels), ("test", test, test_labels)):
        if x.ndim != 2 or y.shape != x.shape[:1]:
            raise TacitError(
                f"The {name} part has features of shape {tuple(x.shape)} and labels of shape {tuple(y.shape)}; "
                "give n × d and n."
            )
