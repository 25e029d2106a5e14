"""node2vec: walks that stay near or go far, as two numbers say, for skip-gram with negative sampling."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError, positive
from tacit.method import Facts, Lookup, Method, Paper
from tacit.numerics import counter
from tacit.numerics.skipgram import kept, negative_sampling, noise
from tacit.numerics.walks import second_order
from tacit.parts.corpus import Corpus, rows_of
from tacit.views.kinds import Plain


class Node2Vec(Method):
    """A node is told from chance by the nodes around it on biased walks.

    `back`, the paper's p, is what going back to the node before is divided by, `away`, its q, what leaving that node's
    neighbourhood is. Edges keep their directions and weights. Trained on the CPU by compiled kernels; on one thread the same
    seed gives the same vectors, on more (`threads`) it does not.

    unverified: read beside aditya-grover/node2vec@883241e as the project's catalogue describes it, not compared on fixed
    tensors; the walks are tested against the paper's transition probabilities by chi-square.
    Differs: steps are drawn by rejection and not from alias tables of all edges; the pairs of a word's window share their
    negatives and are trained at once; the learning rate falls by sentences.
    """

    paper = Paper("node2vec: Scalable Feature Learning for Networks", "Grover, Leskovec", 2016, "arXiv:1607.00653")
    views = Plain(of={"graph": {"hops": 1}})  # a table needs no neighbours
    encoder: Any
    contexts: Tensor
    done: Tensor

    def __init__(
        self,
        encoder: Lookup,
        *,
        back: float = 1.0,
        away: float = 1.0,
        walks: int = 10,
        length: int = 80,
        window: int = 10,
        noises: int = 5,
        subsample: float = 1e-3,
        threads: int = 1,
    ):
        super().__init__(encoder)
        positive(walks=walks, length=length, window=window, noises=noises, threads=threads)
        if not (back > 0 and away > 0):
            raise TacitError(f"back is {back} and away {away}; both divide a weight, so give numbers above 0.")
        self.back, self.away, self.noises, self.subsample, self.threads = back, away, noises, subsample, threads
        self.walks, self.length, self.window = walks, length, window

    def prepare(self, facts: Facts):
        self.register_buffer("contexts", torch.zeros(facts.more["nodes"], self.encoder.dim))
        self.register_buffer("done", torch.zeros((), dtype=torch.long))

    def solve(self, samples: Any) -> Iterator[None]:
        key = int(torch.randint(2**62, ()))
        rows = rows_of(samples.source.samples.graph, loops=True, weighted=True)

        def walk(starts: np.ndarray, numbers: np.ndarray) -> np.ndarray:
            return second_order(rows, starts, self.length, counter.key(key, "walks"), numbers, self.back, self.away)

        corpus = Corpus(walk, len(rows.total), self.walks, self.length, key)
        counts = corpus.counts()
        noises, chance, drawn = noise(counts), kept(counts, self.subsample), counter.key(key, "pairs")
        how = {"window": self.window, "negatives": self.noises, "threads": self.threads}
        self.cpu()
        tables = self.encoder.rows.detach().numpy(), self.contexts.numpy()
        for chunk in corpus.chunks(int(self.done)):
            negative_sampling(*tables, *chunk, noises, chance, drawn, **how)  # type: ignore[arg-type]  # mypy: of the stars
            self.done += len(chunk.numbers)
            yield
        self.to(samples.device)
