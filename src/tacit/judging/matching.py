"""`tacit evaluate` of pairs: whether the parts of a sample find each other, and images the names of their classes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.data.captioned.captions import Captions
from tacit.data.checking import verify
from tacit.data.pairs import Pairs
from tacit.data.samples import Samples
from tacit.data.splitting import splits
from tacit.data.text.opening import from_strings
from tacit.errors import TacitError
from tacit.evaluation.comparison import Evaluation
from tacit.evaluation.labelled.matching import SCORES, Correlated, Score, matching_numbers, zero_shot
from tacit.evaluation.number import Number, under
from tacit.judging.evaluating import by_panel
from tacit.judging.telling import tell, trained_on
from tacit.run import Run
from tacit.sides import PARTS, Look, look_of, of_part
from tacit.training.checkpoint import write_text

PROMPTS = ("{}", "a photo of a {}", "a picture of {}", "an image of the {}", "{}, a symbol", "this is {}")


def judge(run: Run, data: Any, *, report: str | Path | None = None, kind: str | None = None, seed: int = 0) -> Evaluation:
    """Recall at 1, 5 and 10 both ways within the test part; of images with texts and labels also zero-shot accuracy.

    Where a method compares by a measure of its own, first parts are judged as other samples are. "Raw input" are the canonical
    correlations of the training part's raw parts: pixels of small images, weighted words.
    """
    if run.similarity not in SCORES:
        return by_panel(run, run.open(data, kind), report=report, seed=seed)
    opened, corrupt = verify(run.open(data, kind))
    if not isinstance(opened, Pairs):
        raise TacitError(f"{opened.source} holds {opened.kind} and no pairs to judge by; give pairs.")
    train, test, how = splits(opened, seed=seed)
    if trained_on(run, opened):
        how += "; all of them were seen in pretraining"
    assert isinstance(train, Pairs) and isinstance(test, Pairs)  # parts of pairs
    numbers = judged(run, train, test)
    protocol = {"data": str(opened.source), "split": how, "seed": seed, "encoder": run.config.encoder, "corrupt": len(corrupt)}
    evaluation = Evaluation({name: [under(n, protocol) for n in found] for name, found in numbers.items()})
    pages = Path(report) if report is not None else run.path / "report.html"
    tell(run, test, pages, evaluation, corrupt, advised=advice(evaluation))
    write_text(run.path / "evaluation.json", json.dumps(evaluation.as_dict(), indent=1))
    return evaluation


def judged(run: Run, train: Pairs, test: Pairs) -> dict[str, list[Number]]:
    """The numbers of the run and of what it is measured against."""
    return {name: numbers_of(run, *make(), test) for name, make in looks_of(run, train).items()}


def looks_of(run: Run, train: Pairs) -> dict[str, Callable[[], tuple[Look, Score]]]:
    """The run's way to see both parts first, then what it is measured against, each made when it is asked for."""
    score = SCORES[run.similarity]
    return {
        "this encoder": lambda: (look_of(run.method if run.method is not None else run.encoder), score),
        "untrained encoder": lambda: (look_of(run.untrained()), score),
        "raw input": lambda: (_correlated(run, train), SCORES["cosine"]),
    }


def numbers_of(run: Run, look: Look, score: Score, test: Pairs) -> list[Number]:
    """What one way to see both parts reaches on pairs."""
    texts, owner = every(test.second)
    first, second = of_part(run, look, test.first, 0), of_part(run, look, texts, 1)
    kinds = tuple(run.facts.more[part]["kind"] for part in PARTS)
    named = kinds == ("image", "text")
    names = ("image_to_text", "text_to_image") if named else ("first_to_second", "second_to_first")
    numbers = matching_numbers(first, second, torch.from_numpy(owner), score, names)
    if named and test.labels is not None and len(test.classes) > 1 and (test.labels >= 0).any():
        known = np.flatnonzero(test.labels >= 0)
        numbers.append(zero_shot(first[known], _asked(run, look, test.classes), torch.from_numpy(test.labels[known]), score))
    return numbers


def every(samples: Samples) -> tuple[Samples, np.ndarray]:
    """All second parts, of an image each of its captions, and whose each is: int64."""
    if isinstance(samples, Captions):
        return samples.texts, samples.rows(np.arange(len(samples)))[1]
    return samples, np.arange(len(samples))


def advice(evaluation: Evaluation) -> list[str]:
    """What to try next, from the numbers."""
    metric = next(name for name in evaluation.metrics if name.endswith("_at_10"))
    mine, raw = (evaluation.number(name, metric) for name in ("this encoder", "raw input"))
    assert mine is not None and raw is not None  # both are measured
    if mine.low > raw.high:
        return ["Parts find each other better than raw ones do: search with words (tacit embed, then tacit search)."]
    return [
        "Parts find each other not clearly better than raw ones do: train longer (--epochs), in larger batches, or on more "
        "pairs."
    ]


def _asked(run: Run, look: Look, classes: tuple[str, ...]) -> list[Tensor]:
    """Each class by its name in every prompt: k × d."""
    names = [name.replace("_", " ").lower() for name in classes]
    texts = from_strings([prompt.format(name) for name in names for prompt in PROMPTS])
    texts = texts.fitted(run.facts.more["second"])
    return list(of_part(run, look, texts, 1).split(len(PROMPTS)))


def _correlated(run: Run, train: Pairs) -> Look:
    """Raw parts in the directions in which those of the training part correlate."""

    def plain(view: Any, part: int) -> Tensor:
        return run.views.raw(view)

    texts, owner = every(train.second)
    first, second = of_part(run, plain, train.first, 0), of_part(run, plain, texts, 1)
    maps = Correlated(first[torch.from_numpy(owner)], second)
    return lambda view, part: maps(plain(view, part).cpu().float(), part)
