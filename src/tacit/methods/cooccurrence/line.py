"""LINE: nodes that share an edge, and nodes that share their neighbours."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from tacit.errors import TacitError, positive
from tacit.method import Facts, Lookup, Method, Paper
from tacit.numerics import counter
from tacit.numerics.alias import alias, draw
from tacit.numerics.skipgram import edge_sampling, noise, started
from tacit.parts.corpus import LAST_RATE, rows_of
from tacit.views.kinds import Plain

CHUNK = 200_000  # edges, after which a training may be interrupted


class LINE(Method):
    """One half of a node's vector fits those of its neighbours, the other their contexts; both are of length one.

    `draws` is how often each edge is drawn on average, for each half; the paper says instead how many are drawn in all. Edges
    keep their directions and weights. Each half has half of `--width`; the paper's widths are 128 and 128. Trained on the CPU
    by compiled kernels; on one thread the same seed gives the same vectors, on more (`threads`) it does not.

    unverified: read beside tangjianpku/LINE@d5f8409 as the project's catalogue describes it, not compared on fixed tensors.
    Differs: the sigmoid is not 0 or 1 beyond ±6; the targets of an edge are trained at once; nodes of few edges are not given
    the neighbours of their neighbours (`reconstruct` of the official code).
    """

    paper = Paper(
        "LINE: Large-scale Information Network Embedding", "Tang, Qu, Wang, Zhang, Yan, Mei", 2015, "arXiv:1503.03578"
    )
    views = Plain(of={"graph": {"hops": 1}})  # a table needs no neighbours
    encoder: Any
    first: Tensor
    second: Tensor
    contexts: Tensor
    done: Tensor

    def __init__(self, encoder: Lookup, *, draws: int = 100, noises: int = 5, threads: int = 1):
        super().__init__(encoder)
        positive(draws=draws, noises=noises, threads=threads)
        if encoder.dim % 2:
            raise TacitError(f"The encoder is {encoder.dim} wide and each of two orders has half of it; give an even --width.")
        self.draws, self.noises, self.threads = draws, noises, threads

    def prepare(self, facts: Facts):
        shape = facts.more["nodes"], self.encoder.dim // 2
        for name in ("first", "second"):
            key = int(torch.randint(2**62, ()))
            self.register_buffer(name, torch.from_numpy(started(*shape, key)))
        self.register_buffer("contexts", torch.zeros(shape))
        self.register_buffer("done", torch.zeros((), dtype=torch.long))

    def solve(self, samples: Any) -> Iterator[None]:
        key = int(torch.randint(2**62, ()))
        rows = rows_of(samples.source.samples.graph, loops=True, weighted=True)
        weights = rows.weights if len(rows.weights) else np.ones(len(rows.targets))
        ends = np.stack([np.repeat(np.arange(len(rows.total)), np.diff(rows.indptr)), rows.targets], 1)
        degree = np.sum([np.bincount(end, weights, len(rows.total)) for end in ends.T], 0)
        by_weight, by_degree, total = alias(weights), noise(degree), self.draws * len(ends)
        self.cpu()
        first, second, contexts = self.first.numpy(), self.second.numpy(), self.contexts.numpy()
        for at in range(int(self.done), total, CHUNK):
            numbers = np.arange(at, min(at + CHUNK, total))
            rates = np.maximum(0.025 * (1 - numbers / total), 0.025 * LAST_RATE)
            for order, tables in (("first", (first, first)), ("second", (second, contexts))):
                drawn = ends[draw(by_weight, counter.key(key, order, "edges"), numbers)]
                edge_sampling(
                    *tables, drawn, numbers, rates, by_degree, counter.key(key, order, "noise"), negatives=self.noises,
                    threads=self.threads,
                )  # fmt: skip
            self.done += len(numbers)
            self.encoder.rows.copy_(torch.cat([normalize(self.first), normalize(self.second)], 1))
            yield
        self.to(samples.device)
