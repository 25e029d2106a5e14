"""What has gone wrong in a training, and its likely cause, told as soon as the signals show it.

The thresholds were set on one data set and tried on others, on faults planted there and on healthy runs:
`benchmarks/faults.py`, docs/doctor.md.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

import torch

from tacit.method import Method
from tacit.training.signals import Probe
from tacit.training.streams import Stream

GROWN = 1.25  # by so much weights do not grow between two looks at them
FEW_NEGATIVES = 5.0  # samples at which a softmax should look, at least
HARDER = 0.7  # of how well the usual views are told apart before training: little of a sample is left in the run's own
TELLABLE = 0.5  # d′ of the usual views, below which an untrained encoder cannot measure views
SHARED = 0.15  # of the smaller of two crops, that the other shows too
STILL_ALIKE = 0.8  # of the overlap before training: it has not been found either
FOUND = 0.5  # of the overlap before training, below which views that were called too hard were not (docs/doctor.md)
UNCHANGED = 0.95  # of the overlap before training: nothing has been learned that tells samples apart
NEARER = 0.5  # of how far two views' projections lay apart before training: they agree
NARROWED = 0.4  # of the most directions that the representation filled so far
VANISHED = 0.1  # of the spread before training
ONE_LINE = 2.0  # directions, fewer than which are one
SMALL_BATCH, LITTLE_CHANGED = 16, 0.9  # samples, and of the overlap before training
EARLY = 0.2  # of a stage: later, few negatives, alike views and agreement may be what was learned
SETTLED = 20  # steps, before which running statistics say little


class Traits(NamedTuple):
    """What the causes depend on besides the signals."""

    n: int  # samples of the probe
    dim: int  # of the representation
    batch: int  # over all processes
    compares: bool  # the samples of a batch with one another
    shared: float  # mean share of the smaller of a sample's two crops that the other shows too; nan where nothing is cropped


class Alarm(NamedTuple):
    """What is wrong, by the name of its likely cause."""

    cause: str
    said: str  # what was seen, the cause, what to try


Line = Mapping[str, Any]  # of the log, with the signals by name; None for nan


class Watch:
    """Looks at the probe, raises each alarm once in a stage, and takes one back that was raised too soon.

    usual   the same samples in the views that their kind has by default, if it has some
    lines   of the log of this stage so far, where it goes on
    """

    def __init__(self, probe: Probe, usual: Sequence[Stream], method: Method, batch: int, lines: Sequence[Line]):
        self.probe, self.usual, self.batch, self.compares = probe, usual, batch, method.whole_batch
        self.shared = shared_area(probe.stream.load(probe.index, 0).params)
        self.seen = [line for line in lines if "effective_rank" in line]
        self.raised = {cause for line in lines for cause in line.get("alarm", "").split(", ")}
        self.passed = {line["passed"] for line in lines if "passed" in line}

    def told(self, step: int, progress: float) -> dict[str, Any]:
        """What a line of the log says: the signals by name, and alarms with their sentences."""
        signals = self.probe.measure()
        if signals is None:
            return {}
        told: dict[str, Any] = signals._asdict()
        if not self.seen:
            told |= dict(zip(["usual_overlap"], map(self.probe.overlap_in, self.usual)))
        before, now = list(self.seen), {"step": step, **told}
        self.seen.append(now)
        traits = Traits(*self.probe.shape, self.batch, self.compares, self.shared)
        new = [alarm for alarm in alarms(before, now, traits, progress) if alarm.cause not in self.raised]
        if not self.passed and "views" in self.raised and fell(before, now, "overlap", FOUND):
            self.passed.add("views")
            told |= {"passed": "views", "notice": _passed(_of(before[0], "overlap"), _of(now, "overlap"))}
        self.raised |= {alarm.cause for alarm in new}
        if not new:
            return told
        causes, sentences = ", ".join(alarm.cause for alarm in new), " ".join(alarm.said for alarm in new)
        return {**told, "alarm": causes, "warning": sentences}


def alarms(before: Sequence[Line], now: Line, traits: Traits, progress: float) -> list[Alarm]:
    """The alarms that the signals of now raise, given those of earlier looks, of which the first is from before any step.

    All but the weights is judged by the first look, since untrained encoders differ; overlap, negatives and spread must
    hold at two looks in a row. One fault shows in several signals, so the first cause that explains them is named alone.
    """
    if not before:
        return []
    first, last = before[0], before[-1]
    if _of(now, "weights") > GROWN * _of(last, "weights") > 0:
        return [_rate(_of(now, "weights") / _of(last, "weights"), int(now["step"]) - int(last["step"]))]
    if now["step"] < SETTLED:
        return []

    def stays(name: str, share: float) -> bool:
        return all(_of(line, name) > share * _of(first, name) for line in (last, now))

    early = progress <= EARLY
    if early and all(_of(line, "negatives") < FEW_NEGATIVES for line in (last, now)):
        return [_temperature(_of(now, "negatives"), traits)]
    start, mixed, usual = _of(first, "overlap"), _of(now, "overlap"), _of(first, "usual_overlap")
    harder = told_apart(usual) > TELLABLE and told_apart(start) < HARDER * told_apart(usual)
    if early and (harder or traits.shared < SHARED) and stays("overlap", STILL_ALIKE):
        return [_views(traits, usual, start, mixed)]
    if early and traits.compares and traits.batch < SMALL_BATCH and stays("overlap", LITTLE_CHANGED):
        return [_batch(traits, start, mixed)]
    apart, once = _of(now, "projected_alignment"), _of(first, "projected_alignment")
    if early and apart < NEARER * once and math.isnan(_of(now, "negatives")) and stays("projected_overlap", STILL_ALIKE):
        seen = f"projections of two views lie at {100 * apart / once:.0f} % of their squared distance before training"
        return [_agreement(seen, _of(first, "projected_overlap"), _of(now, "projected_overlap"))]
    rank, most = _of(now, "effective_rank"), max(_of(line, "effective_rank") for line in before)
    if early and math.isnan(apart) and rank < NARROWED * most and stays("overlap", UNCHANGED):
        return [_agreement(f"the effective rank fell from {most:.0f} to {rank:.0f}", start, mixed)]
    if fell(before, now, "spread", VANISHED) or rank < min(ONE_LINE, NARROWED * most):
        return [_collapse(rank, _of(now, "spread"), _of(first, "spread"), traits)]
    return []


def fell(before: Sequence[Line], now: Line, name: str, share: float) -> bool:
    """Whether a signal is below so much of what it was before any step, at two looks in a row."""
    return all(_of(line, name) < share * _of(before[0], name) for line in (before[-1], now))


def told_apart(overlap: float) -> float:
    """How many standard deviations lie between positive and negative scores whose overlap is this, were they normal: d′."""
    return math.sqrt(2) * NormalDist().inv_cdf(1 - overlap) if 0 < overlap < 1 else math.nan


def shared_area(params: Sequence[Mapping[str, Any]]) -> float:
    """How much of the smaller of a sample's first two crops the other shows too, the mean over samples: 1 for nested ones."""
    if len(params) < 2 or not all("box" in drawn for drawn in params[:2]):
        return math.nan
    first, second = (drawn["box"].float() for drawn in params[:2])  # n × (top, left, height, width), shares of the image
    near = torch.maximum(first[:, :2], second[:, :2])
    far = torch.minimum(first[:, :2] + first[:, 2:], second[:, :2] + second[:, 2:])
    smaller = torch.minimum(first[:, 2:].prod(1), second[:, 2:].prod(1))
    return float(((far - near).clamp_min(0).prod(1) / smaller).mean())


def _of(line: Line, name: str) -> float:
    """NaN fails every comparison, as it should."""
    value = line.get(name)
    return math.nan if value is None else float(value)


def _rate(growth: float, steps: int) -> Alarm:
    return Alarm(
        "learning rate",
        f"The learning rate is too high: the weights grew {growth:.1f}-fold within {steps} steps. Try a tenth of --lr, or a "
        "longer --warmup.",
    )


def _temperature(negatives: float, traits: Traits) -> Alarm:
    return Alarm(
        "temperature",
        f"The temperature is too low: the loss looks at {negatives:.1f} of {traits.n - 1} other samples, and the rest teach "
        "nothing. Try --temperature 0.1 or above.",
    )


def _views(traits: Traits, usual: float, start: float, mixed: float) -> Alarm:
    crops = f"; two crops of one share {100 * traits.shared:.0f} % of the smaller" if traits.shared < SHARED else ""
    return Alarm(
        "views",
        f"The views may destroy the content: so far two samples look more alike than two views of one in {100 * mixed:.0f} % "
        f"of cases ({100 * start:.0f} % before training, {100 * usual:.0f} % in the default views, 50 % is chance){crops}. "
        "Unless that falls soon, look at them with tacit preview and try larger crops and less change of colour.",
    )


def _passed(start: float, mixed: float) -> str:
    return (
        f"The views do not destroy the content after all: two samples look more alike than two views of one in "
        f"{100 * mixed:.0f} % of cases by now, and did in {100 * start:.0f} % before training."
    )


def _batch(traits: Traits, start: float, mixed: float) -> Alarm:
    return Alarm(
        "batch",
        f"The batch is too small: among {traits.batch} samples there is little to compare, and views of one sample are "
        f"told from others' no better than before training ({100 * mixed:.0f} % are confused, {100 * start:.0f} % were). "
        f"Try --batch {4 * SMALL_BATCH} or more.",
    )


def _agreement(seen: str, start: float, mixed: float) -> Alarm:
    return Alarm(
        "stop-gradient",
        f"Views agree because everything does: {seen}, and two samples look more alike than two views of one in "
        f"{100 * mixed:.0f} % of cases ({100 * start:.0f} % before training). See that the target gets no gradient (detach), "
        "and that a predictor, negatives or a term that spreads stand against it.",
    )


def _collapse(rank: float, spread: float, start: float, traits: Traits) -> Alarm:
    return Alarm(
        "collapse",
        f"The representation is collapsing: effective rank {rank:.1f} of {traits.dim}, spread {spread:.3f} (1 is full, "
        f"{start:.3f} before training). Try a lower --lr, a larger --batch, a higher --temperature where the method has one, "
        "or a method with negatives (simclr).",
    )
