"""DeepWalk: random walks are sentences, nodes are their words."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.errors import positive
from tacit.method import Facts, Lookup, Method, Paper
from tacit.numerics import counter
from tacit.numerics.skipgram import hierarchical_softmax, huffman, kept
from tacit.numerics.walks import first_order
from tacit.parts.corpus import Corpus, rows_of
from tacit.views.kinds import Plain


class DeepWalk(Method):
    """A node foretells the nodes around it on short random walks, by hierarchical softmax.

    Trained on the CPU by compiled kernels; on one thread the same seed gives the same vectors, on more (`threads`) it does not.
    The graph is taken as undirected and unweighted, without self-loops, as by the official code. Defaults are those of its
    command line but for `--width 64`; the paper's for BlogCatalog are walks 80, length 40, window 10, width 128.

    unverified: read beside phanein/deepwalk@6e6dff2 as the project's catalogue describes it, not compared on fixed tensors.
    Differs: the pairs of a word's window are trained at once and not one after another; the learning rate falls by sentences.
    """

    paper = Paper("DeepWalk: Online Learning of Social Representations", "Perozzi, Al-Rfou, Skiena", 2014, "arXiv:1403.6652")
    views = Plain(of={"graph": {"hops": 1}})  # a table needs no neighbours
    encoder: Any
    inner: Tensor
    done: Tensor

    def __init__(
        self, encoder: Lookup, *, walks: int = 10, length: int = 40, window: int = 5, subsample: float = 1e-3, threads: int = 1
    ):
        super().__init__(encoder)
        positive(walks=walks, length=length, window=window, threads=threads)
        self.walks, self.length, self.window, self.subsample, self.threads = walks, length, window, subsample, threads

    def prepare(self, facts: Facts):
        self.register_buffer("inner", torch.zeros(max(facts.more["nodes"] - 1, 1), self.encoder.dim))
        self.register_buffer("done", torch.zeros((), dtype=torch.long))

    def solve(self, samples: Any) -> Iterator[None]:
        key = int(torch.randint(2**62, ()))
        rows = rows_of(samples.source.samples.graph.undirected, loops=False, weighted=False)

        def walk(starts: np.ndarray, numbers: np.ndarray) -> np.ndarray:
            return first_order(rows, starts, self.length, counter.key(key, "walks"), numbers)

        corpus = Corpus(walk, len(rows.total), self.walks, self.length, key)
        counts = corpus.counts()
        tree, chance = huffman(counts), kept(counts, self.subsample)
        self.cpu()
        tables = self.encoder.rows.detach().numpy(), self.inner.numpy()
        for chunk in corpus.chunks(int(self.done)):
            drawn = counter.key(key, "pairs")
            hierarchical_softmax(*tables, *chunk, tree, chance, drawn, window=self.window, threads=self.threads)
            self.done += len(chunk.numbers)
            yield
        self.to(samples.device)
