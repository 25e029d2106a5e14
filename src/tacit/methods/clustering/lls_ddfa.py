"""DDFA: classes without labels, from samples of several domains that hold the same classes in other shares."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Facts, Labelled, Method, Paper, Recipe, Stage
from tacit.parts.clusters.latent_shift import class_posteriors, class_shares
from tacit.views.kinds import Plain, Single

PAPER = Paper("Unsupervised Learning under Latent Label Shift", "Roberts, Mani, Garg, Lipton", 2022, "arXiv:2207.13179")


class DDFA(Method):
    """A classifier learns from which of `domains` a sample comes; what it tells falls into `cells`, whose frequencies in the
    domains factor into those of `classes`.

    The labels of the stream are the domains: give them as class folders. The last stage holds the `shares` of the classes in
    each domain, and tells by `posterior` the class of a sample whose domain is known.

    checked: acmi-lab/Latent-Label-Shift-DDFA@ccb82ca
    Compared: shares by its own ClusterNMFClassPriorEstimation, classes by its own solve_p_y_x and solve_p_y_x_d.
    Differs: cells are of all training samples, there of those for validation too; the last epoch stays, there the one of the
    lowest loss on validation; the rate falls by a cosine; any encoder, without SCAN's weights unless --init gives them.
    """

    paper = PAPER
    streams = {"main": Labelled(Single(), batch=32)}
    recipe = Recipe(optimizer="adamw", lr=1e-3, batch=32, epochs=100)
    recipes = {"small": recipe.but(epochs=20)}
    domain: Tensor

    def __init__(self, encoder: Encoder, *, domains: int = 10, classes: int = 10, cells: int = 30):
        super().__init__(encoder)
        positive(classes=classes)
        if not classes <= min(domains, cells):
            raise TacitError(f"classes is {classes}, of {domains} domains and {cells} cells; give no more than of both.")
        self.head = nn.Linear(encoder.dim, domains)

    @classmethod
    def stages(cls, **own: Any):
        trained = yield Stage(cls, **own)
        method: Any = trained.method
        domain = method.domain.cpu()
        told = trained.embed(how=lambda batch: told_of(method, batch.views[0]))[domain >= 0]
        shares = class_shares(told, domain[domain >= 0], own.get("classes", 10), own.get("cells", 30))
        yield Stage(Shares, head=torch.cat([method.head.weight, method.head.bias[:, None]], 1).detach().cpu(), shares=shares)

    def prepare(self, facts: Facts):
        self.register_buffer("domain", torch.full((facts.n,), -1))

    def step(self, batch: Batch):
        assert batch.labels is not None  # the stream carries them
        if int(batch.labels.max()) >= self.head.out_features:
            raise TacitError(f"There are more domains than {self.head.out_features}; give --domains.")
        batch.keep(domain=batch.labels)
        return cross_entropy(self.head(self.encoder(batch.views[0])).float(), batch.labels)

    def after_step(self, batch: Batch):
        self.domain[batch.index] = batch.kept["domain"]


class Shares(Method):
    """What was found: nothing more is trained."""

    paper, views = PAPER, Plain()
    shares: Tensor

    def __init__(self, encoder: Encoder, *, head: Tensor, shares: Tensor):
        super().__init__(encoder)
        self.head = nn.Linear(encoder.dim, len(head))
        self.head.load_state_dict({"weight": head[:, :-1], "bias": head[:, -1]})
        self.register_buffer("shares", shares)

    def solve(self, samples: Any) -> Iterator[None]:
        yield

    def posterior(self, view: Tensor, domain: Tensor) -> Tensor:
        """The probability of each class, of samples whose domains (int64, n) are known: n × k."""
        return class_posteriors(told_of(self, view), self.shares, domain)


def told_of(method: Any, view: Tensor) -> Tensor:
    """The probability of each domain, n × r."""
    return method.head(method.encoder(view)).float().softmax(1)
