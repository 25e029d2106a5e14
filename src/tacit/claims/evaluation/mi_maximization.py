"""On mutual information maximisation: what makes the representation good is the encoder and the critic, not the information."""

import math

import torch
from torch import Tensor, nn

from tacit.claims.claim import Claim, Found
from tacit.claims.training import Training, Untrained
from tacit.method import Batch, Facts, Method, Paper, Recipe
from tacit.parts.mlp import mlp
from tacit.views.kinds import Plain

SHARED = {"size": 28, "batch": 128, "epoch_batches": 100}
TOWERS = "tacit.claims.evaluation.mi_maximization:Towers"
COUPLINGS, WIDTH = 10, 256
NATS = 2.0  # what both encoders are held to, of the paper's 2 and 4


class Bijection(nn.Module):
    """Additive couplings: each adds to one half of the numbers what it makes of the other, and swaps them; 0 at first."""

    def __init__(self, dim: int):
        super().__init__()
        self.shifts = nn.ModuleList(mlp(dim // 2, WIDTH, WIDTH, dim // 2, norm=False) for _ in range(COUPLINGS))
        for shift in self.shifts:
            nn.init.zeros_(shift[-1].weight)  # type: ignore[index,arg-type]

    def forward(self, x: Tensor) -> Tensor:
        kept, moved = x.flatten(1).chunk(2, 1)
        for shift in self.shifts:
            kept, moved = moved + shift(kept), kept
        return torch.cat([kept, moved], 1)


def bijective(channels: int, height: int, width: int) -> tuple[nn.Module, int]:
    return Bijection(dim := channels * height * width), dim


def dense(channels: int, height: int, width: int) -> tuple[nn.Module, int]:
    return nn.Sequential(nn.Flatten(), mlp(channels * height * width, 300, 300, 100, norm=False)), 100


def convolutional(channels: int, height: int, width: int) -> tuple[nn.Module, int]:
    """Half as wide as the paper's; a norm over all of a sample after each convolution."""
    layers = [
        layer
        for before, after in ((channels, 32), (32, 64))
        for layer in (nn.Conv2d(before, after, 5, stride=2, padding=2), nn.GroupNorm(1, after), nn.ReLU())
    ]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 100)), 100


KINDS = {"bijective": bijective, "dense": dense, "convolutional": convolutional}


class Towers(nn.Module):
    """One network for the upper half of an image, another for the lower; what the upper half gives is judged."""

    dim: int

    def __init__(self, facts: Facts, *, tower: str = "dense"):
        super().__init__()
        channels, height, width = facts.shape
        (self.first, self.dim), (self.second, _) = (KINDS[tower](channels, height // 2, width) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return self.first(x[:, :, : x.shape[2] // 2])


class Bilinear(nn.Module):
    """n × d and n × d -> the scores of all pairs, n × n: over d, so that neither they nor a step is larger for more numbers."""

    def __init__(self, dim: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(dim, dim))

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return first @ self.weight @ second.T / len(self.weight)


class Joined(nn.Module):
    """The same by a network of 200 hidden units on both together."""

    def __init__(self, dim: int):
        super().__init__()
        self.first, self.second, self.score = nn.Linear(dim, 200), nn.Linear(dim, 200, bias=False), nn.Linear(200, 1)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return self.score((self.first(first)[:, None] + self.second(second)).relu())[..., 0]


CRITICS = {"bilinear": Bilinear, "MLP": Joined}


class InformationOfHalves(Method):
    """InfoNCE between both halves of an image, brought to `nats`; above log n that is as high as it goes."""

    paper = Paper(
        "On Mutual Information Maximization for Representation Learning",
        "Tschannen, Djolonga, Rubenstein, Gelly, Lucic",
        2020,
        "arXiv:1907.13625",
    )
    views, whole_batch = Plain(), True
    recipe = Recipe(optimizer="adamw", lr=1e-3, batch=128, epochs=10)

    def __init__(self, encoder: Towers, *, critic: str = "bilinear", nats: float = 10.0):
        super().__init__(encoder)
        self.critic, self.nats = CRITICS[critic](encoder.dim), nats

    def step(self, batch: Batch) -> dict[str, Tensor | tuple[Tensor, float]]:
        (view,) = batch
        lower = view[:, :, view.shape[2] // 2 :]
        scores = self.critic(self.encoder(view), self.encoder.second(lower)).float()
        bound = math.log(len(scores)) + scores.log_softmax(1).diagonal().mean()
        return {"distance": (bound - self.nats).abs(), "bound": (bound, 0.0)}


def trained(tower: str, epochs: int, critic: str = "bilinear", nats: float = 10.0) -> Training:
    options = {**SHARED, "epochs": epochs, "encoder": TOWERS, "tower": tower, "critic": critic, "nats": nats}
    return Training(InformationOfHalves, 20_000, options, "mnist-20k", watched=("bound",))


def rule(found: Found) -> dict[str, bool]:
    equal = found.gap("convolutional, 2 nats", "dense, 2 nats", "bound").value
    return {
        "training a bijective encoder raises the probe, though the information cannot change": found.above(
            "bijective", "bijective, untrained"
        ),
        "the MLP critic's bound is the tighter": found.above("dense, MLP critic", "dense", "bound"),
        "its probe is the worse": found.above("dense", "dense, MLP critic"),
        "held to 2 nats, both encoders have the same bound (within 0.1)": abs(equal) < 0.1,
        "and the convolutional one the better probe": found.above("convolutional, 2 nats", "dense, 2 nats"),
    }


CLAIM = Claim(
    says="Maximising a bound on the mutual information of two views does not explain how good the representation is: it "
    "changes where the information cannot, is better under looser critics, and at equal bounds depends on the encoder.",
    here="Upper and lower halves of mnist-20k, 28 pixels; InfoNCE alone; batches of 128 with AdamW at 1e-3, 500 for the "
    "bijections, 2 000 where critics and 1 000 where encoders are compared, in place of 21 000 with Adam at 1e-4. "
    "Bijective: 10 additive couplings in place of 30; convolutional: half as wide; equal bounds: 2 nats. The critic is "
    "bilinear where it does not say MLP. Linear probe of the upper half's code; the untrained bijection's is of its pixels.",
    arms={
        "bijective, untrained": Untrained(trained("bijective", 5)),
        "bijective": trained("bijective", 5),
        "dense": trained("dense", 20),
        "dense, MLP critic": trained("dense", 20, "MLP"),
        "dense, 2 nats": trained("dense", 10, nats=NATS),
        "convolutional, 2 nats": trained("convolutional", 10, nats=NATS),
    },
    metric="linear",
    rule=rule,
    why="The MLP critic's bound is 0.23 nats below the bilinear one's (± 0.12), and the convolutional encoder stays at 1.44 "
    "of 2 nats, with a probe 1.6 points below the dense one's (± 1.5). Likely 2 000 and 1 000 steps are too few for 21 000: "
    "the bilinear critic is by then near the most that 128 samples allow (4.68 of 4.85), and at unequal bounds the probes "
    "do not compare. No longer run was tried.",
)
