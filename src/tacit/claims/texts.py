"""Arms of claims about texts: an encoder pretrained on sentences, or word vectors, judged by likeness and few labels."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tacit.claims.claim import Measures
from tacit.data import known
from tacit.data.text.generated import topics
from tacit.data.text.opening import from_strings
from tacit.data.text.samples import Alike, TextSamples
from tacit.evaluation.labelled.low_label import low_label
from tacit.evaluation.texts.likeness import likeness_numbers
from tacit.evaluation.unlabelled.alignment import alignment
from tacit.evaluation.unlabelled.uniformity import uniformity
from tacit.method import Method
from tacit.numerics import counter
from tacit.numerics.skipgram import kept, negative_sampling, noise, started
from tacit.parts.corpus import Corpus
from tacit.parts.sequences.sentences import counted, sentences
from tacit.pretraining import pretrain
from tacit.representing import features, representations
from tacit.views.kinds import Plain

QUICK = {"epochs": 1, "epoch_batches": 2, "batch": 32, "warmup": 0}  # in place of what a claim fixes
ALIKE = 4.0  # scores above which two texts of STS-B count as one thing seen twice (Gao et al. 2021, section 5)
PERCENT = 2  # of the labels of trec-qc
RARE = 1e-3  # a of SIF, a / (a + share of all words) (Arora, Liang, Ma 2017)


class Judged(NamedTuple):
    """What vectors are judged on."""

    pairs: TextSamples  # with scores
    labelled: TextSamples  # with classes and splits


Embed = Callable[[Any], Tensor]  # of TextSamples -> n × d


def trained_on(name: str, count: int, quick: bool) -> TextSamples:
    """So many texts, drawn once for all seeds, or all if there are fewer: of "sentences" (brown and wikitext2-small), or of the
    train part of a known set, without scores and labels."""
    if quick:
        return topics(320)
    parts = [known(one) for one in (("brown", "wikitext2-small") if name == "sentences" else (name,))]
    texts: list[str] = []
    for part in parts:
        assert isinstance(part, TextSamples)
        rows = part.rows
        if isinstance(part.task, Alike) and part.task.splits is not None:
            train = part.task.splits == "train"
            rows = np.unique(np.concatenate([part.task.first[train], part.task.second[train]]))
        texts += part.texts.take(rows).to_pylist()
    chosen = np.sort(counter.permutation(counter.key("claims"), len(texts))[:count])
    return from_strings([texts[row] for row in chosen], name)


def judged_on(quick: bool) -> Judged:
    """STS-B and trec-qc."""
    if not quick:
        pairs, labelled = known("stsb"), known("trec-qc")
        assert isinstance(pairs, TextSamples) and isinstance(labelled, TextSamples)
        return Judged(pairs, labelled)
    pairs, labelled = topics(240), topics(240, seed=1)
    assert pairs.labels is not None
    first, second = np.arange(0, 240), (np.arange(240) * 5 + 8) % 240
    score = np.where(pairs.labels[first] == pairs.labels[second], 5.0, 0.0)
    pairs.task = Alike(first, second, score, np.where(np.arange(240) // 2 % 2, "test", "val"))
    return Judged(pairs, labelled)


def judged(embed: Embed, quick: bool) -> Measures:
    """Spearman's correlation on the test part of STS-B and on its dev part, in per cent; of the test part also the alignment of
    like pairs and the uniformity; accuracy on the test part of trec-qc from 2 % of the labels, in per cent."""
    pairs, labelled = judged_on(quick)
    task = pairs.task
    assert isinstance(task, Alike) and labelled.labels is not None
    z = embed(pairs)
    found = {}
    for name, part in (("sts", "test"), ("dev", "val")):
        mine = task.splits == part
        found[name] = 100 * likeness_numbers(z[task.first[mine]], z[task.second[mine]], task.score[mine])[0].value
    test = task.splits == "test"
    like = test & (task.score > ALIKE)
    found["alignment"] = alignment(z[task.first[like]], z[task.second[like]]).value
    found["uniformity"] = uniformity(z[np.unique(np.concatenate([task.first[test], task.second[test]]))]).value
    parts = [(embed(part), torch.from_numpy(part.labels)) for part in (labelled.split("train"), labelled.split("test"))]
    found["few labels"] = 100 * low_label(*parts[0], *parts[1], percents=(10 if quick else PERCENT,))[0].value
    return found


@dataclass(frozen=True)
class OnTexts:
    """Pretrain on so many texts, and judge the representation `which`: "this encoder", "untrained encoder" or "raw input"
    (TF-IDF of hashed words), for which two only a little is trained."""

    method: type[Method]
    texts: int
    options: Mapping[str, Any] = field(default_factory=dict)
    set: str = "sentences"
    which: str = "this encoder"
    short: Mapping[str, Any] = field(default_factory=lambda: QUICK)

    def measure(self, seed: int, quick: bool) -> Measures:
        own = trained_on(self.set, self.texts, quick)
        options: dict[str, Any] = {**self.options, **(self.short if quick or self.which != "this encoder" else {})}
        with tempfile.TemporaryDirectory() as folder:
            run = pretrain(own, self.method, out=Path(folder) / "run", seed=seed, quiet=True, device="cpu", **options)
            represent = representations(run)[self.which]
            return judged(lambda texts: features(run, texts.fitted(run.facts.more), represent, Plain(), 0)[0], quick)


@dataclass(frozen=True)
class WordVectors:
    """Skip-gram with negative sampling on the same tokens (Mikolov et al. 2013, with word2vec's numbers), averaged over a text;
    `rare`: by SIF's weights, without taking a common direction away."""

    texts: int
    width: int
    passes: int
    rare: bool
    set: str = "sentences"

    def measure(self, seed: int, quick: bool) -> Measures:
        own = trained_on(self.set, self.texts, quick)
        facts = own.facts()
        own, words = own.fitted(facts), facts["vocabulary"] + 1
        counts, key = counted(own, words), counter.key(seed, "word vectors")
        vectors, contexts = started(words, self.width, counter.key(key, "start")), np.zeros((words, self.width), np.float32)
        corpus = Corpus(
            lambda starts, numbers: sentences(own, starts),
            len(own),
            1 if quick else self.passes,
            int(counts.sum() / len(own)) + 1,
            key,
        )
        table, chance, drawn = noise(counts), kept(counts), counter.key(key, "pairs")
        for chunk in corpus.chunks():
            negative_sampling(vectors, contexts, *chunk, table, chance, drawn, window=5, negatives=5)
        weight = RARE / (RARE + counts / counts.sum()) if self.rare else np.ones(words)
        weighed = torch.from_numpy((vectors * weight[:, None]).astype(np.float32))

        def embed(texts: TextSamples) -> Tensor:
            (tokens, offsets), _ = texts.fitted(facts).read(np.arange(len(texts)))
            return torch.nn.functional.embedding_bag(tokens + 1, weighed, offsets[:-1], mode="mean")

        return judged(embed, quick)
