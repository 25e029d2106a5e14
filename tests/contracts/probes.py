"""Eleven tiny systems, one for each thing that later methods need of the contract. None is more than 35 lines."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy, softplus

from tacit.method import Batch, Dual, Encoder, Facts, Maps, Method, Paper, Plan, Recipe, Stage
from tacit.numerics.exact import unit
from tacit.numerics.kmeans import kmeans
from tacit.numerics.processes import gather, mean, rank
from tacit.objectives.nt_xent import nt_xent
from tacit.parts.mlp import mlp
from tacit.views.kinds import Labelled, Neighbours, Pair, Paired, Plain, Single

QUICK = Recipe(lr=3e-3, batch=64, epochs=8, schedule="constant")


class TwoPlayers(Method):
    """A generator that fools a critic (as bigan, casa)."""

    paper = Paper("Probe: two players", "Tacit", 2026, "tests")
    views = Plain()
    players = {"critic": ("encoder", "head"), "generator": ("generator",)}
    recipe = QUICK.but(epochs=30, lr=1e-3, momentum=0.5, ema=0.99, turns=("critic", "critic", "generator"))

    def __init__(self, encoder: Encoder, *, latent: int = 8):
        super().__init__(encoder)
        self.head, self.latent = nn.Linear(encoder.dim, 1), latent

    def prepare(self, facts: Facts):
        self.generator = mlp(self.latent, 64, facts.shape[0], norm=False)

    def step(self, batch: Batch, player: str):
        (real,) = batch
        fake = self.generator(batch.normal("z", self.latent))
        if player == "critic":
            true, made = self.judge(real, fake.detach())
            return {"real": softplus(-true).mean(), "fake": softplus(made).mean()}
        return softplus(-self.judge(real, fake)[1]).mean()

    def judge(self, real, fake):
        return self.head(self.encoder(torch.cat([real, fake])))[:, 0].chunk(2)  # normalised by the same statistics

    def sample(self, z):
        return self.generator(z)


class FewLabels(Method):
    """Agreement on a large stream, classes from a small one (as sea, fst)."""

    paper = Paper("Probe: a labelled stream", "Tacit", 2026, "tests")
    streams = {"main": Pair(), "labelled": Labelled(batch=16)}
    recipe = QUICK

    def __init__(self, encoder: Encoder, *, classes: int = 4):
        super().__init__(encoder)
        self.projector, self.head = mlp(encoder.dim, 32), nn.Linear(encoder.dim, classes)

    def step(self, batch: Batch):
        first, second = (self.projector(self.encoder(view)) for view in batch)
        few = batch["labelled"]
        guess = self.head(self.encoder(few.views[0]))
        return {"agree": nt_xent(first, second, 0.2), "classes": (cross_entropy(guess, few.labels), 0.5)}


class TwoDomains(Method):
    """Two unlabelled streams whose features must look alike (domain adaptation)."""

    paper = Paper("Probe: two unlabelled streams", "Tacit", 2026, "tests")
    streams = {"main": Pair(), "other": Pair()}
    recipe = QUICK

    def __init__(self, encoder: Encoder, *, dim: int = 32):
        super().__init__(encoder)
        self.projector = mlp(encoder.dim, dim)

    def step(self, batch: Batch):
        here = [self.encoder(view) for view in batch]
        there = [self.encoder(view) for view in batch["other"]]
        apart = (mean(unit(here[0]).mean(0)) - mean(unit(there[0]).mean(0))).square().sum()
        agree = [nt_xent(self.projector(a), self.projector(b), 0.2) for a, b in (here, there)]
        return {"here": agree[0], "there": agree[1], "apart": (apart, 10.0)}


class Mined(Method):
    """Nearest neighbours, mined before each epoch, agree; their content is fetched (as scan, nnclr)."""

    paper = Paper("Probe: mined neighbours", "Tacit", 2026, "tests")
    views = Neighbours()
    recipe = QUICK

    def __init__(self, encoder: Encoder, *, dim: int = 32, neighbours: int = 4):
        super().__init__(encoder)
        self.projector, self.neighbours = mlp(encoder.dim, dim), neighbours

    def before_epoch(self, embed):
        z = unit(embed())
        return Plan(partners=(z @ z.T).topk(self.neighbours + 1).indices) if self.progress > 0.3 else None

    def step(self, batch: Batch):
        anchor, partner = (self.projector(self.encoder(view)) for view in batch)
        return nt_xent(anchor, partner, 0.2)


class PlannedBatches(Method):
    """Batches with at most one member of a cluster, so that few negatives are false (as g_simclr)."""

    paper = Paper("Probe: a plan of batches", "Tacit", 2026, "tests")
    views = Pair()
    recipe = QUICK

    def __init__(self, encoder: Encoder, *, clusters: int = 32):
        super().__init__(encoder)
        self.projector, self.clusters = mlp(encoder.dim, 32), clusters

    def before_epoch(self, embed):
        labels, _ = kmeans(embed(), self.clusters, rounds=5)
        shuffled = torch.randperm(len(labels))
        by_cluster = shuffled[labels[shuffled].argsort(stable=True)]
        counts = labels.bincount(minlength=self.clusters)
        place = torch.cat([torch.arange(count) for count in counts.tolist()])  # the how-manieth of its cluster
        one_of_each = (by_cluster[place == r] for r in range(int(counts.max())))
        even = (
            b[: min(self.batch_size, len(b) // 2 * 2)] for b in one_of_each
        )  # of what two processes cannot share one is left out
        return Plan(batches=[b for b in even if len(b) >= 8])

    def step(self, batch: Batch):
        first, second = (self.projector(self.encoder(view)) for view in batch)
        return nt_xent(first, second, 0.2)


NO_CODES = torch.zeros(0, dtype=torch.long)


class FreshStage(Method):
    """A new encoder learns the clusters of a trained one (as clusterfit)."""

    paper = Paper("Probe: a stage with a fresh encoder", "Tacit", 2026, "tests")
    views = Single()
    recipe = QUICK

    def __init__(self, encoder: Encoder, *, codes: torch.Tensor = NO_CODES):
        super().__init__(encoder)
        self.register_buffer("codes", codes)
        self.head = nn.Linear(encoder.dim, int(codes.max()) + 1 if len(codes) else 1)

    @classmethod
    def stages(cls, *, clusters: int = 12):
        teacher = yield Stage(PlannedBatches, recipe=QUICK)
        codes, _ = kmeans(teacher.embed(), clusters)
        yield Stage(cls, encoder="fresh", codes=codes)

    def step(self, batch: Batch):
        return cross_entropy(self.head(self.encoder(batch.views[0])), self.codes[batch.index])


class Places(Method):
    """Places of two crops that show the same place agree, other places do not: crop boxes enter the loss (as pixpro)."""

    paper = Paper("Probe: crop boxes in the loss", "Tacit", 2026, "tests")
    views = Pair()
    recipe = QUICK.but(epochs=12)

    def __init__(self, encoder: Maps, *, dim: int = 32, reach: float = 0.7):
        super().__init__(encoder)
        self.projector, self.reach = nn.Conv2d(encoder.dim, dim, 1), reach

    def centres(self, drawn, h, w):
        top, left, height, width = drawn["box"][:, :, None].unbind(1)
        y, x = ((torch.arange(n, device=top.device) + 0.5)[None] / n for n in (h, w))
        x = torch.where(drawn["flip"][:, None], 1 - x, x)
        rows, columns = (top + height * y)[:, :, None], (left + width * x)[:, None, :]
        bins = ((height / h).square() + (width / w).square()).sqrt()
        return torch.stack(torch.broadcast_tensors(rows, columns), -1).flatten(1, 2), bins

    def same(self, params, h, w):
        (a, bin_a), (b, bin_b) = (self.centres(drawn, h, w) for drawn in params)
        return torch.cdist(a, b) / torch.maximum(bin_a, bin_b)[:, :, None] < self.reach

    def step(self, batch: Batch):
        maps = [self.projector(self.encoder.maps(view)) for view in batch]
        same = self.same(batch.params, *maps[0].shape[2:])
        first, second = (nn.functional.normalize(m.float().flatten(2), dim=1) for m in maps)
        likeness = (torch.einsum("ndi,ndj->nij", first, second) / 0.2).exp()
        found = (likeness * same).sum(2) / likeness.sum(2)
        met = same.any(2).float()
        return -((found + 1e-6).log() * met).sum() / mean(met.sum()).clamp(min=1)


class Memory(Method):
    """Every sample's label and feature are remembered and moved every step (as odc)."""

    paper = Paper("Probe: state per sample", "Tacit", 2026, "tests")
    views = Single()
    recipe = QUICK.but(epochs=12)

    def __init__(self, encoder: Encoder, *, clusters: int = 12):
        super().__init__(encoder)
        self.head, self.clusters = nn.Linear(encoder.dim, clusters), clusters

    def prepare(self, facts: Facts):
        self.register_buffer("labels", torch.zeros(facts.n, dtype=torch.long))
        self.register_buffer("features", torch.zeros(facts.n, self.encoder.dim))

    def before_epoch(self, embed):
        if self.progress == 0:
            self.features.copy_(unit(embed()))
        self.labels.copy_(kmeans(self.features, self.clusters)[0])

    def step(self, batch: Batch):
        h = self.encoder(batch.views[0])
        batch.keep(h=h)
        return cross_entropy(self.head(h), self.labels[batch.index])

    def after_step(self, batch: Batch):
        moved = unit(0.5 * self.features[batch.index] + 0.5 * unit(batch.kept["h"]))
        self.features[batch.index] = moved
        centroids = torch.zeros(self.clusters, moved.shape[1]).index_add_(0, self.labels, self.features)
        self.labels[batch.index] = (moved @ unit(centroids).T).argmax(1)


class Curved(Method):
    """Two encoders for two parts, compared on a hyperboloid of learned curvature (as meru)."""

    paper = Paper("Probe: a dual encoder, a curved similarity", "Tacit", 2026, "tests")
    views = Paired()
    similarity = "hyperbolic"
    recipe = QUICK.but(epochs=16)

    def __init__(self, encoder: Dual):
        super().__init__(encoder)
        self.scale, self.sharpness = nn.Parameter(torch.tensor(-2.0)), nn.Parameter(torch.tensor(1.0))
        self.curvature = nn.Parameter(torch.tensor(0.0))

    def lift(self, v):
        v, root = v.float() * self.scale.exp(), (self.curvature / 2).exp()
        length = v.norm(dim=1, keepdim=True).clamp(1e-6, 4)
        return torch.sinh(root * length) * v / (root * v.norm(dim=1, keepdim=True).clamp(min=1e-6))

    def score(self, a, b):
        c = self.curvature.exp()
        product = a @ b.T - (1 / c + a.square().sum(1))[:, None].sqrt() * (1 / c + b.square().sum(1)).sqrt()
        return -torch.acosh((-c * product).clamp(min=1 + 1e-5)) / c.sqrt()

    def step(self, batch: Batch):
        a, b = self.lift(self.encoder.first(batch.views[0])), self.lift(self.encoder.second(batch.views[1]))
        target = torch.arange(len(a), device=a.device) + rank() * len(a)
        scores = [self.score(x, gather(y)) * self.sharpness.exp() for x, y in ((a, b), (b, a))]
        return sum(cross_entropy(s, target) for s in scores) / 2

    def represent(self, batch: Batch):
        return self.lift(self.encoder.first(batch.views[0]))


class Origin(Method):
    """No encoder: a code is the gradient of the reconstruction at the origin (as gon)."""

    paper = Paper("Probe: a gradient inside the loss", "Tacit", 2026, "tests")
    views = Plain()
    second_order = True
    recipe = QUICK.but(epochs=25)

    def __init__(self, encoder: None = None, *, dim: int = 16):
        super().__init__()
        self.dim = dim

    def prepare(self, facts: Facts):
        width = facts.shape[0]
        self.decoder = nn.Sequential(nn.Linear(self.dim, 64), nn.ELU(), nn.Linear(64, width))

    def code(self, x):
        with torch.enable_grad():
            origin = torch.zeros(len(x), self.dim, device=x.device, requires_grad=True)
            inner = (self.decoder(origin) - x).square().mean(1).sum()
            return -torch.autograd.grad(inner, origin, create_graph=True)[0]

    def step(self, batch: Batch):
        (x,) = batch
        return (self.decoder(self.code(x)) - x).square().mean()

    def represent(self, batch: Batch):
        return self.code(batch.views[0])


class Solved(Method):
    """Principal directions by orthogonal iteration, which goes on from its buffers (as pca, deepwalk)."""

    paper = Paper("Probe: a solve that resumes", "Tacit", 2026, "tests")
    views = Plain()

    def __init__(self, encoder: None = None, *, dim: int = 3, rounds: int = 30):
        super().__init__()
        self.dim, self.rounds = dim, rounds

    def prepare(self, facts: Facts):
        self.register_buffer("axes", torch.linalg.qr(torch.randn(facts.shape[0], self.dim))[0])
        self.register_buffer("done", torch.zeros((), dtype=torch.long))

    def solve(self, samples):
        while self.done < self.rounds:
            total = torch.zeros_like(self.axes)
            for batch in samples.batches(256):
                total += batch.views[0].T @ (batch.views[0] @ self.axes)
            self.axes.copy_(torch.linalg.qr(total)[0])
            self.done += 1
            yield

    def represent(self, batch: Batch):
        return batch.views[0] @ self.axes
