"""`tacit evaluate` of triples: how high true ones are ranked, by the run and by a baseline, and the report."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from tacit.data.networks.triples import TripleSamples
from tacit.data.splitting import splits
from tacit.errors import TacitError
from tacit.evaluation.comparison import Evaluation
from tacit.evaluation.links.ranking import (
    HEADS,
    TAILS,
    Score,
    directed,
    filtered_ranks,
    frequency,
    hierarchy_numbers,
    link_numbers,
)
from tacit.evaluation.links.rules import mine
from tacit.evaluation.number import Number
from tacit.judging.telling import tell
from tacit.run import Run
from tacit.training.checkpoint import write_text

NAMED = 3  # unknown triples that are named
RULES = 5  # that the report tells
MOST = 400  # relations, of which pairs are looked at


@runtime_checkable
class Scoring(Protocol):
    """What a method of triples offers: scores of all entities at either end, n and n -> n × E."""

    def score_tails(self, head: Tensor, relation: Tensor) -> Tensor: ...

    def score_heads(self, relation: Tensor, tail: Tensor) -> Tensor: ...


def judge(run: Run, data: Any, *, report: str | Path | None = None, kind: str | None = None, seed: int = 0) -> Evaluation:
    """Rank the test part of a source, filtered by all its triples; of one without parts reconstruct all: is each link near?

    Triples with a name that training did not know cannot be ranked: they are left out, counted and named.
    """
    method = run.method
    if not isinstance(method, Scoring):
        raise TacitError(f"{run.cls.__name__} scores no triples; take one that does, such as distmult or poincare_embeddings.")
    opened = run.open(data, kind)
    if not isinstance(opened, TripleSamples):
        raise TacitError(f"{opened.source} holds entities and no triples to rank; give triples.")
    true = torch.from_numpy(opened.triples[(opened.triples >= 0).all(1)]).to(run.device)
    entities = len(run.facts.more["entities"])
    if opened.splits is not None and {"train", "test"} <= set(opened.splits.tolist()):
        train, test, how = splits(opened, seed=seed)
        asked, unknown = known(test)
        numbers = {
            "this encoder": links(method, asked, true, entities),
            "relation frequency": links(Frequent(_known_rows(train).to(run.device), entities), asked, true, entities),
        }
    else:
        asked, unknown = known(opened)
        how = f"all {len(asked):,} triples are ranked, seen in training or not: reconstruction"
        numbers = {"this encoder": reconstruction(method, asked, true, entities)}
    protocol = {"data": str(opened.source), "split": how, "seed": seed, "entities": entities, "unknown": len(unknown)}
    notes = [_said(unknown, opened.source)] if unknown else []
    told = {name: [_told(n, protocol, notes) for n in found] for name, found in numbers.items()}
    evaluation = Evaluation(told)
    pages = Path(report) if report is not None else run.path / "report.html"
    judged = f"{len(asked):,} triples of {Path(opened.source).name}"
    tell(run, opened.embedded(), pages, evaluation, judged=judged, advised=[*advice(evaluation), *rules(method, opened)])
    write_text(run.path / "evaluation.json", json.dumps(evaluation.as_dict(), indent=1))
    return evaluation


class Frequent:
    """The baseline: what stood most often at that end of the relation."""

    def __init__(self, train: Tensor, entities: int):
        self.tails, self.heads = (frequency(train, entities, side) for side in (TAILS, HEADS))

    def score_tails(self, head: Tensor, relation: Tensor) -> Tensor:
        return self.tails(head, relation)

    def score_heads(self, relation: Tensor, tail: Tensor) -> Tensor:
        return self.heads(tail, relation)


def links(method: Scoring, asked: Tensor, true: Tensor, entities: int) -> list[Number]:
    """Filtered ranks of both ends of triples, int64 m × 3."""
    asked = asked.to(true.device)
    heads: Score = lambda tail, relation: method.score_heads(relation, tail)  # noqa: E731
    tails = filtered_ranks(method.score_tails, asked, true, entities, TAILS)
    found = filtered_ranks(heads, asked, true, entities, HEADS)
    return link_numbers(tails, found, directed(true, entities)[asked[:, 1]].cpu())


def reconstruction(method: Scoring, asked: Tensor, true: Tensor, entities: int) -> list[Number]:
    """Whether what is linked is near: ranks of tails, of each head and relation."""
    asked = asked.to(true.device)
    ranks = filtered_ranks(method.score_tails, asked, true, entities, TAILS, reflexive=False)
    return hierarchy_numbers(ranks, (asked[:, 1] * entities + asked[:, 0]).cpu())


def known(samples: TripleSamples) -> tuple[Tensor, list[str]]:
    """The triples whose names training knew, and what is said of the others."""
    rows = samples.rows
    whole = (samples.triples[rows] >= 0).all(1)
    unknown = [f"{samples.ids[i]}: {samples.strange[int(rows[i])]}" for i in np.flatnonzero(~whole).tolist()]
    if not whole.any():
        raise TacitError(
            f"All {len(rows):,} triples of {samples.source} have names that training did not know ({unknown[0]}); give triples "
            "of the same entities and relations."
        )
    return torch.from_numpy(samples.triples[rows[whole]]), unknown


def advice(evaluation: Evaluation) -> list[str]:
    """What to try next, from the numbers."""
    if "relation frequency" not in evaluation.representations:
        return []
    mine, plain = (evaluation.number(name, "mrr") for name in ("this encoder", "relation frequency"))
    if mine is None or plain is None:
        return []
    if mine.low > plain.high:
        return ["True triples are ranked above the baseline that looks at the relation alone: search with the entities."]
    return ["True triples are not clearly ranked above the baseline that looks at the relation alone: train longer (--epochs)."]


def rules(method: Any, samples: TripleSamples) -> list[str]:
    """Sentences of the rules that lie nearest in the run's relations, where it has some to read them off."""
    if not hasattr(method, "chained") or not 1 < len(samples.relations) <= MOST:
        return []
    triples, names = _known_rows(samples).cpu(), samples.relations
    vectors = method.relation_vectors().cpu()
    return [
        f"A rule it found: {names[rule.first]}, then {names[rule.second]}, makes {names[rule.third]}; this holds for "
        f"{rule.confidence:.0%} of {rule.body:,} pairs."
        for rule in mine(vectors, method.chained, triples, len(samples.entities), RULES)
    ]


def _known_rows(samples: Any) -> Tensor:
    rows = samples.triples[samples.rows]
    return torch.from_numpy(rows[(rows >= 0).all(1)])


def _said(unknown: Sequence[str], source: str) -> str:
    some = "; ".join(unknown[:NAMED]) + ("; …" if len(unknown) > NAMED else "")
    return f"{len(unknown):,} triples of {source} are left out, since training did not know a name of theirs ({some})"


def _told(number: Number, protocol: dict[str, Any], notes: list[str]) -> Number:
    noted = {"notes": notes} if notes and number.name == "mrr" else {}
    return Number(number.name, number.value, number.low, number.high, {**number.protocol, **protocol, **noted}, number.why)
