"""How a training goes, seen on a fixed probe of samples that is embedded every so often."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from tacit.method import Batch, Method
from tacit.numerics import counter
from tacit.numerics.exact import unit
from tacit.numerics.processes import whole
from tacit.numerics.scores import effective_negatives, overlap
from tacit.numerics.spectra import alignment, effective_rank, feature_spread, uniformity
from tacit.training.chunks import normalising
from tacit.training.embedding import is_the_encoder_s, represent
from tacit.training.streams import Stream

QUANTILES = (0.05, 0.5, 0.95)


class Signals(NamedTuple):
    """How the representation of the probe looks; nan where a method has nothing of the kind."""

    effective_rank: float  # of the centred features: how many directions they fill
    spread: float  # mean deviation of the normalised features' dimensions × √d: 1 isotropic, 0 collapsed
    alignment: float  # mean squared distance of two looks at one sample (Wang and Isola 2020)
    uniformity: float  # log mean exp(−2 · squared distance) over pairs (Wang and Isola 2020); 0 is collapsed
    overlap: float  # chance that two samples look more alike than two looks at one sample: 0.5 is no better than chance
    projected_rank: float  # effective rank of the centred projections, which the loss compares
    projected_alignment: float  # of projections of two looks, by the statistics of the probe itself: nan for prototypes'
    projected_overlap: float  # of the same
    negatives: float  # other samples' projections that a softmax at the method's temperature looks at
    weights: float  # Euclidean norm of all weights but tables of embeddings, which begin small and grow as they learn
    positive_low: float = float("nan")  # cosine of two looks at one sample: the 5 % quantile, the median, the 95 % quantile
    positive_median: float = float("nan")
    positive_high: float = float("nan")
    negative_low: float = float("nan")  # of looks at two samples
    negative_median: float = float("nan")
    negative_high: float = float("nan")


class Probe:
    """The same few samples each time: plain, and where the method sees two views of a sample, those views."""

    def __init__(self, method: Method, stream: Stream, key: int, autocast: Callable, most: int = 256):
        self.method, self.stream, self.autocast = method, stream, autocast
        self.index = np.sort(counter.permutation(counter.key(key, "probe"), stream.n)[:most])
        self.shape = (len(self.index), 0)  # samples and dimensions

    def measure(self) -> Signals | None:
        """Embed the probe; None where what is represented is no table of numbers."""
        plain = represent(self.method, self.stream, self.index, self.autocast, self.method.represent)
        if plain.ndim != 2 or not torch.isfinite(plain).all():
            return None
        self.shape = (len(plain), plain.shape[1])
        apart, mixed, looks = float("nan"), float("nan"), self.stream.load(self.index, 0)
        scores: tuple[float, ...] = (float("nan"),) * 6
        both: tuple[Tensor, ...] = ()
        if comparable(self.stream, looks):
            first, second = both = self._both(looks)
            apart, mixed, scores = float(alignment(first, second)), overlap(first, second), score_quantiles(first, second)
        projected = self._projected(looks, both) if projects(self.method) else (float("nan"),) * 4
        centred = plain - plain.mean(0)
        norms = [whole(p.detach().float().norm()) for p in _weights(self.method)]
        weights = float(torch.stack(norms).norm()) if norms else float("nan")
        ranks = float(effective_rank(centred)), float(feature_spread(plain))
        return Signals(*ranks, apart, float(uniformity(plain)), mixed, *projected, weights, *scores)

    def _projected(self, looks: Batch, both: tuple[Tensor, ...]) -> tuple[float, float, float, float]:
        """Rank, alignment, overlap and negatives of the projections; `both` views were represented already, if they can be."""
        filled, apart, mixed, seen = (float("nan"),) * 4
        encoder, projector = self.method.get_submodule("encoder"), self.method.get_submodule("projector")
        known = both if is_the_encoder_s(self.method.represent) else ()  # what the encoder said of them

        def encoded(batch: Batch) -> Tensor:
            return self._through(lambda batch: encoder(batch.views[0]), batch)

        def project(answer: Tensor) -> Tensor:
            return self._through(lambda batch: projector(answer.to(batch.views[0].device)), looks)

        answer = known[0] if known else encoded(looks)
        if answer.ndim != 2:  # tokens, of which a method makes rows in a way of its own
            return filled, apart, mixed, seen
        z = project(answer)
        if not torch.isfinite(z).all():
            return filled, apart, mixed, seen
        filled, temperature = float(effective_rank(z - z.mean(0))), getattr(self.method, "temperature", None)
        by_clusters = hasattr(self.method, "prototypes")  # which the loss compares instead
        if isinstance(temperature, int | float) and not by_clusters:
            seen = effective_negatives(z, temperature)
        if comparable(self.stream, looks) and not by_clusters:
            with own_statistics(self.method):
                again = () if normalising(self.method) else known
                first, second = (project(one) for one in again or [encoded(_one(looks, view)) for view in (0, 1)])
            apart, mixed = float(alignment(first, second)), overlap(first, second)
        return filled, apart, mixed, seen

    def overlap_in(self, stream: Stream) -> float:
        """The overlap of the same samples in another stream's views."""
        looks = stream.load(self.index, 0)
        return overlap(*self._both(looks)) if comparable(stream, looks) else float("nan")

    def _both(self, looks: Batch) -> tuple[Tensor, Tensor]:
        first, second = (self._through(self.method.represent, _one(looks, view)) for view in (0, 1))
        return first, second

    def _through(self, how: Callable[[Batch], Tensor], batch: Batch) -> Tensor:
        training = self.method.training
        self.method.eval()
        try:
            with torch.no_grad(), self.autocast():
                return how(batch).float().cpu()
        finally:
            self.method.train(training)


def score_quantiles(first: Tensor, second: Tensor) -> tuple[float, ...]:
    """The 5 %, 50 % and 95 % quantiles of the cosines of positives, then of negatives; n × d both, n ≥ 2."""
    scores = unit(first) @ unit(second).T
    negative = ~torch.eye(len(scores), dtype=torch.bool)
    at = torch.tensor(QUANTILES)
    return (*scores.diagonal().quantile(at).tolist(), *scores[negative].quantile(at).tolist())


@contextmanager
def own_statistics(module: nn.Module) -> Iterator[None]:
    """Batch norms in evaluation mode take the statistics of their input, as in training, and keep the running ones.

    What the loss compares is so normalised, and running statistics lag behind in the first steps.
    """
    norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    kept = [(norm.running_mean, norm.running_var) for norm in norms]
    try:
        for norm in norms:
            norm.running_mean = norm.running_var = None
        yield
    finally:
        for norm, (mean, variance) in zip(norms, kept):
            norm.running_mean, norm.running_var = mean, variance


def comparable(stream: Stream, looks: Batch) -> bool:
    """Whether the first two views are of one shape and of the whole sample each, not two parts of it."""
    whole = all(seen.part == 0 for seen in stream.source.program.seen)
    return whole and len(looks.views) >= 2 and looks.views[0].shape == looks.views[1].shape


def projects(method: Method) -> bool:
    """Whether what the loss compares is `projector(encoder(view))`: the name is the field's, and the widths fit."""
    projector, encoder = getattr(method, "projector", None), method.encoder
    if not isinstance(projector, nn.Module) or encoder is None or type(encoder).forward is nn.Module.forward:
        return False
    first = next((module for module in projector.modules() if isinstance(module, nn.Linear)), None)
    return first is not None and first.in_features == getattr(encoder, "dim", 0)


def _weights(method: Method) -> Iterator[nn.Parameter]:
    tables = {id(p) for module in method.modules() if isinstance(module, nn.Embedding) for p in module.parameters()}
    return (p for p in method.parameters() if id(p) not in tables)


def _one(looks: Batch, view: int) -> Batch:
    """A batch of one of the views."""
    return Batch(
        [looks.views[view]],
        looks.index,
        params=[looks.params[view]],
        key=looks.key,
        context=looks.context,
        positions=looks.positions,
    )
