"""sent2vec: a sentence is the mean of its words and n-grams, trained to tell each word from the others."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError, positive
from tacit.method import Facts, Method, Paper, Recipe
from tacit.numerics import counter
from tacit.numerics.cbow import sentence_means
from tacit.numerics.skipgram import kept, noise
from tacit.parts.corpus import Corpus
from tacit.parts.sequences.sentences import NGrams, counted, sentences
from tacit.views.kinds import Plain


class Sent2Vec(Method):
    """Each word is told from the mean of the rest of its sentence: the rows of words and of hashed n-grams.

    Trained on the CPU by compiled kernels; on one thread the same seed gives the same vectors, on more (`threads`) it does not.
    `passes` and `rate` take the place of --epochs and --lr. Frequent words are told seldom (`subsample`), those that come fewer
    than `least` times never; `dropped` places of a sentence have no n-grams when a word is told. Numbers are those that the
    authors trained on Wikipedia with, but for least 20, width 700 and 4 M buckets; of a few million words their rate moves rows
    too little, and `--recipe small` takes ten times as much.

    unverified: compared with the steps of epfml/sent2vec@9efbc2d (src/fasttext.cc, model.cc, dictionary.cc) written out once
    more as a naive loop; the program itself was not run.
    Differs: words are the pieces of the run's tokenizer, of which none is left out of a context for being rare; the rate falls
    by sentences; negatives as `numerics.cbow` says.
    """

    paper = Paper(
        "Unsupervised Learning of Sentence Embeddings using Compositional n-Gram Features",
        "Pagliardini, Gupta, Jaggi",
        2018,
        "arXiv:1703.02507",
    )
    views = Plain()
    recipes = {"small": Recipe(options={"rate": 2.0})}
    encoder: Any
    targets: Tensor
    done: Tensor

    def __init__(
        self,
        encoder: NGrams,
        *,
        passes: int = 9,
        rate: float = 0.2,
        noises: int = 10,
        subsample: float = 5e-6,
        dropped: int = 4,
        least: int = 5,
        threads: int = 1,
    ):
        super().__init__(encoder)
        positive(passes=passes, rate=rate, noises=noises, subsample=subsample, threads=threads)
        if min(dropped, least) < 0:
            raise TacitError(f"dropped is {dropped} and least {least}; both count, so give 0 or more.")
        self.passes, self.rate, self.noises, self.subsample = passes, rate, noises, subsample
        self.dropped, self.least, self.threads = dropped, least, threads

    def prepare(self, facts: Facts):
        self.register_buffer("targets", torch.zeros(facts.shape[1] + 1, self.encoder.dim))
        self.register_buffer("done", torch.zeros((), dtype=torch.long))

    def solve(self, samples: Any) -> Iterator[None]:
        key, texts = int(torch.randint(2**62, ())), samples.source.samples
        counts = counted(texts, len(self.targets))
        chance = np.where(counts < self.least, 0, kept(counts, self.subsample)).astype(np.float32)
        noises, drawn = noise(counts, 0.5), counter.key(key, "words")
        how = {"ngrams": self.encoder.ngrams, "buckets": self.encoder.buckets, "dropped": self.dropped}
        corpus = Corpus(
            lambda starts, numbers: sentences(texts, starts), len(texts), self.passes, int(counts.sum() / len(texts)) + 1, key
        )
        self.cpu()
        tables = self.encoder.rows.detach().numpy(), self.targets.numpy()
        for chunk in corpus.chunks(int(self.done), self.rate):
            sentence_means(*tables, *chunk, noises, chance, drawn, **how, negatives=self.noises, threads=self.threads)
            self.done += len(chunk.numbers)
            yield
        self.to(samples.device)
