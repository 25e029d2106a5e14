"""Collapse seen while it happens: a fixed probe of samples, embedded every so often."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from tacit.method import Batch, Method
from tacit.numerics import counter
from tacit.numerics.spectra import alignment, collapsed, effective_rank, feature_spread, uniformity
from tacit.training.embedding import represent
from tacit.training.streams import Stream


class Signals(NamedTuple):
    """How the representation of the probe looks."""

    effective_rank: float  # of the centred features: how many directions they fill
    spread: float  # mean deviation of the normalised features' dimensions × √d: 1 isotropic, 0 collapsed
    alignment: float  # mean squared distance of two looks at one sample (Wang and Isola 2020); nan with one look
    uniformity: float  # log mean exp(−2 · squared distance) over pairs (Wang and Isola 2020); 0 is collapsed


class Probe:
    """The same few samples each time, plain and, where the method sees two views of a sample, those views."""

    def __init__(self, method: Method, stream: Stream, key: int, autocast: Callable, most: int = 256):
        self.method, self.stream, self.autocast = method, stream, autocast
        self.index = np.sort(counter.permutation(counter.key(key, "probe"), stream.n)[:most])
        self.shape = (len(self.index), 0)  # samples and dimensions

    def measure(self) -> Signals | None:
        """Embed the probe; None where what is represented is no table of numbers."""
        plain = represent(self.method, self.stream, self.index, self.autocast, self.method.represent)
        if plain.ndim != 2 or not torch.isfinite(plain).all():
            return None
        looks, distance = self.stream.load(self.index, 0), float("nan")
        whole = all(seen.part == 0 for seen in self.stream.source.program.seen)  # not two parts of one sample
        if whole and len(looks.views) == 2 and looks.views[0].shape == looks.views[1].shape:
            first, second = (self._look(looks, view) for view in (0, 1))
            distance = float(alignment(first, second))
        centred = plain - plain.mean(0)
        self.shape = (len(plain), plain.shape[1])
        return Signals(float(effective_rank(centred)), float(feature_spread(plain)), distance, float(uniformity(plain)))

    def told(self, progress: float) -> dict[str, Any]:
        """What a line of the log says of the probe: the signals by name, and a warning where they show a collapse."""
        signals = self.measure()
        if signals is None:
            return {}
        warning = collapse(signals, progress, *self.shape)
        return {**signals._asdict(), **({"warning": warning} if warning else {})}

    def _look(self, looks: Batch, view: int) -> torch.Tensor:
        one = Batch(
            [looks.views[view]],
            looks.index,
            params=[looks.params[view]],
            key=looks.key,
            context=looks.context,
            positions=looks.positions,
        )
        training = self.method.training
        self.method.eval()
        with torch.no_grad(), self.autocast():
            seen = self.method.represent(one).float().cpu()
        self.method.train(training)
        return seen


def collapse(now: Signals, progress: float, n: int, dim: int) -> str:
    """A sentence when the representation (n × dim) has collapsed, saying what was seen and what to try; empty while it is well.

    An untrained encoder has little spread too, so nothing is said in the first twentieth of a stage.
    """
    if progress < 0.05 or not collapsed(now.effective_rank, now.spread, n, dim):
        return ""
    return (
        f"The representation is collapsing: effective rank {now.effective_rank:.1f} of {dim}, spread {now.spread:.3f} "
        "(1 is full). Try a lower --lr, a larger --batch, a higher --temperature where the method has one, or a method with "
        "negatives (simclr)."
    )
