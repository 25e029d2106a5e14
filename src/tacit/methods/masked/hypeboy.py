"""HypeBoy: which node is missing from a hyperedge?"""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cosine_similarity

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Encoder, Facts, Method, Paper, Recipe, Stage
from tacit.numerics import counter
from tacit.numerics.processes import size, total
from tacit.objectives.among_all import among_all
from tacit.parts.mlp import mlp
from tacit.parts.unigcnii import UniGCNII
from tacit.views.kinds import Hyperedges

TITLE = "HypeBoy: Generative Self-Supervised Representation Learning on Hypergraphs"
PAPER = Paper(TITLE, "Kim, Kang, Bu, Lee, Yoo, Shin", 2024, "arXiv:2404.00638")
RECIPE = Recipe(lr=1e-3, batch=4096, weight_decay=1e-6, schedule="constant", epochs=200)


class HypeBoy(Method):
    """The other nodes of a hyperedge, added up, point out among all nodes the one that is missing.

    A stage of feature reconstruction warms the encoder up, for `warm_up` epochs (0: none). Asked for are the nodes of all
    hyperedges of two nodes or more, also of those that the view lacks. Numbers are the code's defaults.

    checked: kswoo97/hypeboy@db108d5
    Compared: loss and gradient of both stages and the encoder, for the same weights, views and hidden nodes.
    Differs: the mean over what is asked for where the code sums; weight decay is decoupled from Adam. Hypergraphs of more
    nodes than a batch are asked for the nodes of the batch.
    """

    paper = PAPER
    views = Hyperedges(of={"hypergraph": {"drop_hyperedges": 0.9, "drop_members": 0.0, "drop_entries": 0.4}})
    whole_batch = True
    recipe = RECIPE

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)
        self.key, self.query = (mlp(encoder.dim, encoder.dim, encoder.dim, norm=False) for _ in range(2))

    @classmethod
    def stages(  # type: ignore[override]
        cls, *, warm_up: int = 300, hide: float = 0.5, decoder_depth: int = 2, decoder_dropout: float = 0.5
    ):
        if warm_up:
            decoder = {"decoder_depth": decoder_depth, "decoder_dropout": decoder_dropout}
            yield Stage(FeatureReconstruction, recipe=RECIPE.but(epochs=warm_up), hide=hide, **decoder)  # type: ignore[arg-type]
        yield Stage(cls)

    def step(self, batch: Batch):
        (view,) = batch
        z = self.encoder(view.all())
        nodes, edges = view.whole
        sums = z.new_zeros(view.hyperedges, z.shape[1]).index_add_(0, edges, z[nodes])
        ours = torch.zeros(len(z), dtype=torch.bool, device=z.device).index_fill_(0, view.rows, True)
        asked = ours[nodes] & (torch.bincount(edges)[edges] > 1)
        nodes, edges = nodes[asked], edges[asked]
        others = sums[edges] - z[nodes]
        count = total(torch.tensor(float(len(nodes)), device=z.device)).clamp(min=1)
        return among_all(self.query(others), self.key(z), nodes) * size() / count


class FeatureReconstruction(Method):
    """The warm-up: hidden features of nodes are told from their hyperedges.

    `hide` is the share of nodes whose features, and later embeddings, are replaced by a learned vector.
    """

    paper = PAPER
    views = Hyperedges(of={"hypergraph": {"drop_hyperedges": 0.2, "drop_members": 0.0, "drop_entries": 0.0}})
    whole_batch = True
    recipe = RECIPE.but(epochs=300)

    def __init__(self, encoder: Encoder, *, hide: float = 0.5, decoder_depth: int = 2, decoder_dropout: float = 0.5):
        super().__init__(encoder)
        positive(decoder_depth=decoder_depth)
        shares(decoder_dropout=decoder_dropout)
        if not 0 < hide < 1:
            raise TacitError(f"hide is {hide}; give a share of the nodes, between 0 and 1.")
        self.hide, self.depth, self.dropout = hide, decoder_depth, decoder_dropout

    def prepare(self, facts: Facts):
        (features,) = facts.shape
        self.decoder = UniGCNII(self.encoder.dim, features, self.depth, dropout=self.dropout)
        self.no_features = nn.Parameter(torch.zeros(features))
        self.no_embedding = nn.Parameter(torch.zeros(self.encoder.dim))

    def step(self, batch: Batch):
        (view,) = batch
        x = view.dense()
        draws = counter.uniform(counter.key(batch.key, "hidden"), np.arange(len(x)), 1)[:, 0]
        order = torch.from_numpy(draws.argsort(kind="stable")[: int(self.hide * len(x))]).to(x.device)
        hidden = torch.zeros(len(x), 1, dtype=torch.bool, device=x.device).index_fill_(0, order, True)
        z = self.encoder(view._replace(x=torch.where(hidden, self.no_features, x)).all())
        rows = view.rows[hidden[view.rows, 0]]
        told = self.decoder(torch.where(hidden, self.no_embedding, z), view.members, view.edges, view.hyperedges, rows)
        wrong = (1 - cosine_similarity(x[rows], told.float(), eps=1e-6)).sum()
        return wrong * size() / total(torch.tensor(float(len(rows)), device=x.device)).clamp(min=1)
