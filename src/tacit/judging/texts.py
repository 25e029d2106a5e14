"""`tacit evaluate` of texts: by scores of pairs, by judged queries, or by labels as other kinds of data."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from tacit.data.checking import verify
from tacit.data.samples import Samples
from tacit.data.text.samples import Alike, TextSamples, Wanted
from tacit.errors import TacitError
from tacit.evaluation.comparison import Evaluation
from tacit.evaluation.number import under
from tacit.evaluation.texts.finding import bm25, finding_numbers
from tacit.evaluation.texts.likeness import likeness_numbers
from tacit.judging.evaluating import by_panel
from tacit.judging.telling import tell
from tacit.numerics.exact import unit
from tacit.representing import features, representations
from tacit.run import Run
from tacit.training.checkpoint import write_text
from tacit.views.kinds import Plain

LETTERS = 20_000  # of a text that BM25 reads


def judge(run: Run, data: Any, *, report: str | Path | None = None, kind: str | None = None, seed: int = 0) -> Evaluation:
    """Judge a run on texts.

    Pairs with scores: how the cosines of their embeddings follow the scores; on the test part where one is declared. Queries
    with judgements: how they find their documents, beside BM25. Other texts: as `evaluating.by_panel`, with labels where there
    are some.
    """
    opened = run.open(data, kind)
    assert isinstance(opened, TextSamples)  # the run's own kind
    if opened.task is None:
        return by_panel(run, opened, report=report, seed=seed)
    judged = _alike if isinstance(opened.task, Alike) else _found
    evaluation, shown, what, advised = judged(run, opened)
    pages = Path(report) if report is not None else run.path / "report.html"
    tell(run, shown, pages, evaluation, judged=f"{what} of {Path(opened.source).name}", advised=advised)
    write_text(run.path / "evaluation.json", json.dumps(evaluation.as_dict(), indent=1))
    return evaluation


def _alike(run: Run, opened: TextSamples) -> tuple[Evaluation, Samples, str, list[str]]:
    task = opened.task
    assert isinstance(task, Alike)
    part = "all pairs, since no test part is declared"
    chosen = np.ones(len(task.score), bool)
    if task.splits is not None and "test" in task.splits:
        chosen, part = task.splits == "test", "the declared test part"
    samples, place = _readable(opened, np.concatenate([task.first[chosen], task.second[chosen]]))
    first, second = place[task.first[chosen]], place[task.second[chosen]]
    whole = (first >= 0) & (second >= 0)
    told = {"data": str(opened.source), "split": part, "left out": int((~whole).sum())}
    numbers = {}
    for name, z in _embedded(run, samples).items():
        found = likeness_numbers(z[first[whole]], z[second[whole]], task.score[chosen][whole])
        numbers[name] = [under(number, told) for number in found]
    evaluation = Evaluation(numbers)
    return evaluation, samples, f"{int(whole.sum()):,} scored pairs", _advice(evaluation, "sts_spearman", "raw input")


def _found(run: Run, opened: TextSamples) -> tuple[Evaluation, Samples, str, list[str]]:
    task = opened.task
    assert isinstance(task, Wanted)
    samples, place = _readable(opened, np.concatenate([task.documents, task.queries]))
    documents, queries = (rows[place[rows] >= 0] for rows in (task.documents, task.queries))
    number = np.full(len(place), -1)  # of a row among the documents, or among the queries
    for rows in (documents, queries):
        number[rows] = np.arange(len(rows))
    relevant = np.stack([number[task.relevant[:, 0]], number[task.relevant[:, 1]], task.relevant[:, 2]], 1)
    relevant = relevant[(relevant >= 0).all(1)]
    if not (relevant[:, 2] > 0).any():
        raise TacitError(f"No judgement of {opened.source} names a query and a relevant document that can be read; add some.")
    told = {"data": str(opened.source), "left out": len(place) - len(samples)}
    numbers = {}
    for name, z in _embedded(run, samples).items():
        asked, there = (unit(z[place[rows]]) for rows in (queries, documents))

        def scores(which: np.ndarray, asked: Tensor = asked, there: Tensor = there) -> np.ndarray:
            return (asked[which] @ there.T).numpy()

        numbers[name] = [under(n, told) for n in finding_numbers(scores, relevant, len(documents))]
    by_words = bm25(opened.said(documents, LETTERS), opened.said(queries, LETTERS))
    numbers["BM25"] = [under(n, told) for n in finding_numbers(by_words, relevant, len(documents))]
    evaluation = Evaluation(numbers)
    what = f"{len(np.unique(relevant[:, 0])):,} queries"
    return evaluation, samples.split("train"), what, _advice(evaluation, "ndcg_at_10", "BM25")


def _readable(opened: TextSamples, rows: np.ndarray) -> tuple[TextSamples, np.ndarray]:
    """The samples of these rows that can be read, and the place of each row among them, −1 for none."""
    good, _ = verify(opened.take(np.unique(rows)))
    assert isinstance(good, TextSamples)  # texts are checked as they are
    place = np.full(len(opened.texts), -1)
    place[good.rows] = np.arange(len(good))
    return good, place


def _embedded(run: Run, samples: TextSamples) -> dict[str, Tensor]:
    return {name: features(run, samples, represent, Plain(), 0)[0] for name, represent in representations(run).items()}


def _advice(evaluation: Evaluation, metric: str, rival: str) -> list[str]:
    """What to try next, from the numbers."""
    mine, other = (evaluation.number(name, metric) for name in ("this encoder", rival))
    if mine is None or other is None:
        return []
    named = "words weighed by rarity" if rival == "raw input" else rival
    if mine.value > other.value:
        return [f"It is above {named}: search with it (tacit embed)."]
    return [f"It is not above {named}: train on more texts of this sort, or begin with a pretrained model."]
