"""Fine-tuning: an encoder and a linear head on it are trained together with labels, and judged on the test part."""

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tacit.errors import TacitError, positive
from tacit.evaluation.intervals import wilson
from tacit.evaluation.number import Number, missing
from tacit.numerics import counter

RATES = (3e-5, 3e-4, 3e-3)
STEPS, BATCH = 100, 64
WARMUP, DECAY = 0.05, 0.05  # share of the steps in which the rate grows; weight decay (He et al. 2022, table 9)
FEWEST = 10  # train samples
MEASURED = 512  # train samples at most by which the answers of the encoder are centred and scaled
ROWS = 256  # samples that pass the encoder at once where nothing is learned

Model = TypeVar("Model", bound=nn.Module)
Loss = Callable[[Tensor, Tensor], Tensor]  # plain views of n samples, the places of their classes, int64 n -> scalar


class Part(NamedTuple):
    """One labelled part of the data."""

    look: Callable[[np.ndarray], Tensor]  # positions, int64, n -> the plain views of these samples, where the encoder is
    labels: np.ndarray  # int64, N; every sample has one


class Tuned(nn.Module):
    """An encoder and a linear head on its answers, less the mean and over the spread that they had before.

    So a rate means the same whatever the scale of the representation is. The head begins at zero, where no class is preferred
    and nothing is drawn.
    """

    classes: np.ndarray  # their labels, in order
    mean: Tensor
    spread: Tensor

    def __init__(self, encoder: nn.Module, before: Tensor, classes: np.ndarray):
        super().__init__()
        self.encoder, self.classes = deepcopy(encoder), classes
        spread = before.std(0, correction=0).square().mean().sqrt()  # one number: axes keep their weights
        self.register_buffer("mean", before.mean(0))
        self.register_buffer("spread", torch.where(spread > 0, spread, 1.0))
        self.head = nn.utils.skip_init(nn.Linear, before.shape[1], len(classes))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Plain views of n samples -> n × classes."""
        return self.head(self.features(x))

    def features(self, x: Tensor) -> Tensor:
        """What the head sees: n × d."""
        return (self.encoder(x).float() - self.mean) / self.spread


def fine_tuned(
    encoder: nn.Module, train: Part, test: Part, rates: tuple[float, ...] = RATES, steps: int = STEPS, seed: int = 0
) -> Number:
    """Accuracy on the test part after the whole encoder and a linear head were trained on the train part.

    The rate is chosen on a fifth of the train part, drawn by counter and never the test part; then it is trained again on
    all of it, as Kornblith et al. 2019 (arXiv:1805.08974, appendix) choose theirs; like there the length is a number of
    steps and not of epochs, here 100 of 64 samples, so that it ends in minutes on two cores: on a large train part give
    more. How it is trained is said at `trained`. A test label that no train sample has counts as an error.
    """
    if not rates:
        raise TacitError("Fine-tuning got no rate to choose from; give at least one.")
    positive(steps=steps, rate=min(rates))
    held = counter.uniform(counter.key("fine-tuning, held out"), np.arange(len(train.labels)), 1)[:, 0] < 0.2
    kept_rows, held_rows = np.flatnonzero(~held), np.flatnonzero(held)
    if len(train.labels) < FEWEST or len(np.unique(train.labels[kept_rows])) < 2 or not len(held_rows):
        why = f"{len(train.labels)} train samples are too few to train on four fifths of them and choose the rate on the rest."
        return missing("fine_tuned", why)
    scores = [hits(tuned(encoder, train, kept_rows, rate, steps, seed), train, held_rows) for rate in rates]
    chosen = min(zip((-score for score in scores), rates))[1]  # of equally good ones the smallest
    everything = np.arange(len(train.labels))
    right = hits(tuned(encoder, train, everything, chosen, steps, seed), test, np.arange(len(test.labels)))
    protocol = {
        "train": len(train.labels),
        "test": len(test.labels),
        **how(len(train.labels), steps, seed),
        "rate": chosen,
        "rates": list(rates),
        "chosen_on": f"{len(held_rows)} held-out train samples",
        "held_out_accuracy": [score / len(held_rows) for score in scores],
        "interval": "Wilson, 95 %",
    }
    return Number("fine_tuned", right / len(test.labels), *wilson(right, len(test.labels)), protocol)


def tuned(encoder: nn.Module, part: Part, rows: np.ndarray, rate: float, steps: int, seed: int) -> Tuned:
    """A copy of an encoder with a linear head over all classes of the part, both trained on these rows by cross-entropy."""
    model = untuned(encoder, part, rows)
    return trained(model, lambda x, target: cross_entropy(model(x), target), part, rows, rate, steps, seed)


def untuned(encoder: nn.Module, part: Part, rows: np.ndarray) -> Tuned:
    """A copy of an encoder with a linear head over all classes of the part, before it is trained on these rows of it."""
    some = counter.permutation(counter.key("fine-tuning, measured"), len(rows))[:MEASURED]
    before = answers(deepcopy(encoder).eval(), part, rows[some])
    return Tuned(encoder, before, np.unique(part.labels)).to(before.device)


def trained(model: Model, loss: Loss, part: Part, rows: np.ndarray, rate: float, steps: int, seed: int) -> Model:
    """All of a model trained on these rows of a part, and set to evaluation mode.

    AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101) as He et al. 2022 fine-tune (MAE, arXiv:2111.06377, table 9): weight
    decay 0.05 but for biases and norms, 5 % of the steps of linear growth, then a cosine to zero. Not theirs: one rate for
    all layers, and plain views without augmentation, since what may be done to a sample without changing its label is not
    known of every kind of data. Each epoch has its own order, by counter; what is left of it beyond whole batches is
    dropped. Fewer rows than a batch are one batch, and the encoder is then trained in evaluation mode: the statistics of a
    few samples would take the place of those that its batch norms have. What a loss draws, it draws from torch's generator.
    """
    device = next(model.parameters()).device
    batch = min(BATCH, len(rows))
    target = torch.from_numpy(np.unique(part.labels, return_inverse=True)[1]).to(device)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(counter.key(seed, "fine-tuning"))  # of dropout
        model.train(len(rows) >= BATCH)
        optimizer = torch.optim.AdamW(_groups(model), lr=rate)
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = optimizer.param_groups[1]["lr"] = rate * _share(step, steps)
            epoch, place = divmod(step, len(rows) // batch)
            if place == 0:
                order = counter.permutation(counter.key(seed, "fine-tuning order", epoch), len(rows))
            index = rows[order[place * batch : (place + 1) * batch]]
            optimizer.zero_grad()
            loss(part.look(index), target[index]).backward()
            optimizer.step()
    return model.eval()


def hits(model: Tuned, part: Part, rows: np.ndarray) -> int:
    """How many of these rows a `tuned` model labels rightly."""
    said = answers(model, part, rows).argmax(1).cpu().numpy()
    return int((model.classes[said] == part.labels[rows]).sum())


@torch.no_grad()
def answers(model: nn.Module, part: Part, rows: np.ndarray) -> Tensor:
    """What a module in evaluation mode says of these rows: n × d, float32."""
    given = [model(part.look(rows[at : at + ROWS])).float() for at in range(0, len(rows), ROWS)]
    if given[0].ndim != 2:
        raise TacitError(f"The encoder answers {tuple(given[0].shape)} to {len(rows)} samples; a head needs one row for each.")
    return torch.cat(given)


def how(n: int, steps: int, seed: int) -> dict[str, Any]:
    """What a protocol tells of the training."""
    batch = min(BATCH, n)
    return {
        "trained": "encoder and linear head",
        "optimizer": f"AdamW, weight decay {DECAY}, {WARMUP:.0%} growth, cosine to 0",
        "views": "plain",
        "steps": steps,
        "batch": batch,
        "epochs": round(steps / (n // batch), 2),
        "batch_norm": "statistics of batches" if n >= BATCH else "statistics as they were",
        "seed": seed,
    }


def _groups(model: nn.Module) -> list[dict[str, Any]]:
    """Weights, which decay, and biases and norms, which do not."""
    learned = [p for p in model.parameters() if p.requires_grad]
    weights, others = ([p for p in learned if (p.ndim > 1) == decays] for decays in (True, False))
    return [{"params": weights, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]


def _share(step: int, steps: int) -> float:
    """Of the rate, at a step: it grows for the first 5 %, then falls by half a cosine."""
    warm = math.ceil(WARMUP * steps)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
