"""Fisher information embedding: a node is where its neighbours would move a mixture of Gaussians."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.method import Batch, Facts, Method, Paper
from tacit.numerics import counter
from tacit.numerics.exact import unit
from tacit.parts.fisher import KernelMap, MixtureShift
from tacit.views.kinds import Plain

SAMPLED = 300_000  # rows, of those that anchors and points are fitted to


class FisherInfoEmbedding(Method):
    """Nothing is trained by gradient: anchors are clusters, found layer by layer.

    Features of length one pass a kernel map; then `layers` times the neighbours of a node, itself among them, say how they
    would move a mixture's means, and all but the last time what they say passes a kernel map of its own. The embedding is the
    first map's answer and every layer's, side by side. Defaults are those of the network; the published command for Cora is
    `--layers 4 --hops 4 --kernel-width 512 --mixtures 8`.

    checked: BorgwardtLab/fisher_information_embedding@b16f17c
    Compared: the embedding by fie/models.py for the same anchors and points, of several mixtures; spherical k-means by reading.
    Differs: clusters begin at rows drawn by counter; features with negative values are standardised first, as views do.
    """

    paper = Paper(
        "Fisher Information Embedding for Node and Graph Learning", "Chen, Pellizzoni, Borgwardt", 2023, "arXiv:2305.07580"
    )
    views = Plain(of={"graph": {}})
    maps: Any
    shifts: Any
    done: Tensor

    def __init__(self, encoder: None = None, *, layers: int = 2, kernel_width: int = 64, mixtures: int = 1, sigma: float = 1.0):
        super().__init__()
        positive(layers=layers, kernel_width=kernel_width, mixtures=mixtures, sigma=sigma)
        self.layers, self.width, self.mixtures, self.sigma = layers, kernel_width, mixtures, sigma

    def prepare(self, facts: Facts):
        if "nodes" not in facts.more:
            raise TacitError(f"Fisher information embeds the nodes of a graph and got data of kind {facts.kind}; give a graph.")
        most = max(self.width, self.mixtures)
        if facts.n < most:
            raise TacitError(f"kernel_width and mixtures ask for {most} clusters of {facts.n} nodes; give at most so many.")
        widths = [facts.shape[0]] + [self.width * self.mixtures] * (self.layers - 1)
        self.maps = nn.ModuleList(KernelMap(wide, self.width, self.sigma) for wide in widths)
        self.shifts = nn.ModuleList(MixtureShift(self.width, self.mixtures) for _ in range(self.layers))
        self.register_buffer("done", torch.zeros((), dtype=torch.long))

    def solve(self, samples: Any) -> Iterator[None]:
        key = int(torch.randint(2**62, ()))
        features, edges = self._heard(samples.plain(np.arange(samples.n)).views[0])
        for layer in range(self.layers):
            kernel_map, shift = self.maps[layer], self.shifts[layer]
            known = layer < int(self.done)  # of an earlier training that was interrupted
            if not known:
                kernel_map.fit(_some(features, counter.key(key, "points", layer)), counter.key(key, "kernel", layer))
            x = kernel_map(features)
            if not known:
                ends = _some(edges[0], counter.key(key, "neighbours", layer))
                shift.fit(x[ends], counter.key(key, "mixture", layer))
                self.done += 1
            features = shift(x, edges)
            yield

    def represent(self, batch: Batch) -> Tensor:
        view = batch.views[0]
        if 0 <= view.hops < self.layers:
            raise TacitError(
                f"The views reach {view.hops} steps and there are {self.layers} layers; give --hops {self.layers}."
            )
        features, edges = self._heard(view)
        said = []
        for kernel_map, shift in zip(self.maps, self.shifts):
            said.append(kernel_map(features))
            features = shift(said[-1], edges)
        return torch.cat([*said, features], 1)[view.rows]

    def _heard(self, view: Any) -> tuple[Tensor, Tensor]:
        """Features of length one, and the edges with every node's to itself."""
        x = view.dense()
        itself = torch.arange(len(x), device=x.device)
        return unit(x), torch.cat([view.edge_index, itself.expand(2, -1)], 1)


def _some(rows: Tensor, key: int) -> Tensor:
    """All rows, or so many of them as are looked at."""
    if len(rows) <= SAMPLED:
        return rows
    return rows[torch.from_numpy(np.sort(counter.permutation(key, len(rows))[:SAMPLED])).to(rows.device)]
