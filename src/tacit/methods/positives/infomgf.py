"""InfoMGF: the relations of a multiplex graph refined and fused, so that what they share and what each alone tells is kept."""

from collections.abc import Iterable
from itertools import combinations

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.method import Batch, Facts, Method, Paper, Recipe
from tacit.numerics import counter
from tacit.numerics.exact import unit
from tacit.objectives.paired_contrast import paired_contrast
from tacit.parts.graph_learner import Edges, GraphLearner, Weighing, relations
from tacit.parts.kept_rows import KeptRows
from tacit.parts.mlp import mlp
from tacit.views.kinds import Plain

TITLE = "Beyond Redundancy: Information-aware Unsupervised Multiplex Graph Structure Learning"


class InfoMGF(Method):
    """Nodes are joined by what they hear in each relation, and by all of it; one encoder reads all these graphs.

    A node finds itself between any two refined graphs (shared), between the fused graph and each refined one, and between
    each refined graph and its relation with edges dropped (unique, weighed by `unique`). What is embedded are the nodes in the
    fused graph, kept in a table. Numbers are those of ACM, with `--middle 128 --width 64 --dropout 0.5`.

    checked: zxlearningdeep/InfoMGF@a046b52
    Compared: learners, refined graphs, loss and gradient by graph_learners.py, model.py and layers.py for the same weights.
    Differs: this is InfoMGF-RA, whose augmentation is random; the learned one is left out. A node's edge to itself is never
    dropped, and the encoder's biases are added after neighbours are. The table is of the graph before the last update.
    """

    paper = Paper(TITLE, "Shen, Wang, Kang", 2024, "https://openreview.net/forum?id=xaqPAkJnAS")
    views = Plain(of={"graph": {"whole": True}})
    whole_batch = True
    recipe = Recipe(lr=0.01, batch=4096, schedule="constant", epochs=100)

    def __init__(
        self, encoder: Weighing, *, alike: int = 15, reach: int = 2, dim: int = 64, temperature: float = 0.2,
        drop_learned: float = 0.5, unique: float = 1.0,
    ):  # fmt: skip
        super().__init__(encoder)
        positive(alike=alike, reach=reach, dim=dim, temperature=temperature)
        if not 0 <= drop_learned < 1 or unique < 0:
            raise TacitError(f"drop_learned is {drop_learned} and unique {unique}; give a share below 1 and 0 or more.")
        self.alike, self.reach, self.dim, self.drop = alike, reach, dim, drop_learned
        self.temperature, self.unique = temperature, unique
        self.known: list[Edges] = []  # the relations, which never change, and what is heard in each

    def prepare(self, facts: Facts):
        self.count = len(facts.more.get("relations", [])) if facts.kind == "graph" else 0
        if self.count < 2:
            raise TacitError(f"InfoMGF compares relations and got {facts.kind} data of {self.count}; give a graph of several.")
        (features,), width = facts.shape, self.encoder.dim
        self.learners = nn.ModuleList(GraphLearner(features, self.alike) for _ in range(self.count))
        self.fuse = GraphLearner(features * (self.count + 1), self.alike)
        self.heads = nn.ModuleDict(
            {name: nn.ModuleList(mlp(width, self.dim, self.dim, norm=False) for _ in range(self.count))
             for name in ("refined", "fused", "relation")}
        )  # fmt: skip
        self.table = KeptRows(facts.more["nodes"], width)

    def step(self, batch: Batch):
        (view,) = batch
        x = view.dense()
        if not self.known:
            self.known = relations(view, self.count)
            self.heard = [edges.heard(x, self.reach) for edges in self.known]
        fused = self.fuse(torch.cat([*self.heard, x], 1))
        self.latest = view, Edges(*(part.detach() for part in fused))

        def read(name: str, edges: Edges) -> Tensor:
            return unit(self.encoder.linear(edges.dropped(self.drop, counter.key(batch.key, name)).seen(view)))

        z = [read(f"refined {v}", learner(heard)) for v, (learner, heard) in enumerate(zip(self.learners, self.heard))]
        z, whole = self._told("refined", z), read("fused", fused)
        own = self._told("relation", [read(f"relation {v}", edges) for v, edges in enumerate(self.known)])
        return {
            "shared": self._apart(combinations(z, 2)),
            "fused": self._apart(zip(self._told("fused", [whole] * self.count), z)),
            "unique": (self._apart(zip(z, own)), self.unique),
        }

    def after_step(self, batch: Batch):
        view, fused = self.latest
        self.encoder.eval()
        self.table.fill(unit(self.encoder.linear(fused.seen(view, every=True))))
        self.encoder.train()

    def represent(self, batch: Batch) -> Tensor:
        view = batch.views[0]
        return self.table(view.nodes[view.rows]) if self.table.filled else unit(self.encoder.linear(view))

    def _told(self, name: str, z: list[Tensor]) -> list[Tensor]:
        return [head(each) for head, each in zip(self.heads[name], z)]  # type: ignore[call-overload]

    def _apart(self, pairs: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
        return torch.stack([paired_contrast(a, b, self.temperature) for a, b in pairs]).mean()
