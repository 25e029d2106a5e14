"""BECLR: batches that neighbours from memory enlarge."""

from typing import Any

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.methods.positives.beclr.memory import Clustered
from tacit.objectives.contrast.spread_pairs import spread_pairs
from tacit.objectives.prediction import cosine_distance
from tacit.parts.mlp import mlp
from tacit.parts.teacher import Teacher, rising
from tacit.views.kinds import Pair


class BECLR(Method):
    """The student's predictions agree with a slow copy's projections, and its own projections keep apart but for partners.

    Predictions, projections and the copy's projections have a memory each, of `clusters` clusters found anew every `recluster`
    epochs; after the share `start` of the training each brings `neighbours` rows of its own memory, which agree and keep apart
    as it does and have no gradient. `apart` weighs what keeps apart.

    checked: stypoumic/BECLR@8b33581
    Compared: by its own modules loss and gradient of an enlarged batch, neighbours, clusters of new rows and prototypes.
    Differs: rows go to near clusters by exp(−distance / 0.1), there by a sign to far ones; neighbours are the rows found, there
    those at the places in the memory that these have in their cluster; rows enter after the step, there before; clusters are
    found between epochs; images are not masked, as there for CIFAR-FS; `tacit.few_labels.opta` is what it does to episodes.
    """

    paper = Paper(
        "BECLR: Batch Enhanced Contrastive Few-Shot Learning", "Poulakakis-Daktylidis, Jamali-Rad", 2024, "arXiv:2402.02444"
    )
    views = Pair()
    whole_batch = True
    recipe = Recipe(optimizer="sgd", lr=0.3, scale="linear", batch=256, weight_decay=1e-4, epochs=400)
    # Rows found have no gradient: with them all others fall to a sixth, which AdamW is to forget soon.
    small = Recipe(lr=1e-3, batch=128, weight_decay=1e-4, beta2=0.95, warmup=1, epochs=40)
    recipes = {"small": small.but(options={"dim": 128, "memory": 1024, "clusters": 64, "teacher_momentum": 0.9})}
    epochs: Tensor

    def __init__(
        self,
        encoder: Encoder,
        *,
        dim: int = 512,
        memory: int = 8192,
        clusters: int = 200,
        neighbours: int = 5,
        recluster: int = 60,
        start: float = 0.15,
        epsilon: float = 0.1,
        apart: float = 0.1,
        temperature: float = 2.0,
        teacher_momentum: float = 0.995,
    ):
        super().__init__(encoder)
        positive(dim=dim, clusters=clusters, neighbours=neighbours, recluster=recluster, epsilon=epsilon)
        positive(temperature=temperature)
        shares(start=start, teacher_momentum=teacher_momentum)
        if apart < 0 or max(clusters, neighbours) > memory:
            raise TacitError(f"apart is {apart} and memory {memory}; give 0 or more, and as many as clusters and neighbours.")
        self.projector = nn.Sequential(*mlp(encoder.dim, dim, dim, dim), nn.BatchNorm1d(dim))
        self.predictor = mlp(dim, max(dim // 4, 1), dim)
        self.teacher = Teacher(self.student())
        self.memories: Any = nn.ModuleList(Clustered(memory, dim, clusters) for _ in range(3))
        self.register_buffer("epochs", torch.zeros((), dtype=torch.int64))
        self.neighbours, self.recluster, self.start, self.epsilon = neighbours, recluster, start, epsilon
        self.apart, self.temperature, self.teacher_momentum = apart, temperature, teacher_momentum

    def before_epoch(self, embed):
        for memory in self.memories:
            if memory.full and (not memory.clustered() or int(self.epochs) % self.recluster == 0):
                memory.cluster()
        self.epochs += 1

    def step(self, batch: Batch):
        z = [self.projector(self.encoder(view)) for view in batch]
        p, copied = [self.predictor(own) for own in z], [self.teacher(view) for view in batch]
        batch.keep(p0=p[0], p1=p[1], z0=z[0], z1=z[1], t0=copied[0], t1=copied[1])
        if self.progress >= self.start and all(memory.clustered() for memory in self.memories):
            p, z, copied = (self.enlarged(both, m) for both, m in zip((p, z, copied), self.memories))
        agree = (cosine_distance(p[0], copied[1]) + cosine_distance(p[1], copied[0])) / 2
        return {"agree": agree, "apart": (spread_pairs(z[0], z[1], self.temperature), self.apart)}

    def enlarged(self, rows: list[Tensor], memory: Clustered) -> list[Tensor]:
        """Each view's rows, n × d, and after them the neighbours of each, nearest first: n · (1 + k) × d."""
        found = (memory.rows[memory.nearest(one, self.neighbours).flatten()] for one in rows)
        return [torch.cat([one, more.to(one)]) for one, more in zip(rows, found)]

    def after_step(self, batch: Batch):
        for name, memory in zip("pzt", self.memories):
            memory.put(torch.cat([batch.kept[f"{name}0"], batch.kept[f"{name}1"]]), self.epsilon)
        self.teacher.follow(self.student(), rising(self.teacher_momentum, self.progress))

    def student(self) -> nn.Module:
        return nn.Sequential(self.encoder, self.projector)
