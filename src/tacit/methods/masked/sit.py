"""SiT: a damaged picture is mended, its turn is told, and it is found by another look at it, all at once."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tacit.errors import positive
from tacit.method import Batch, Facts, Method, Paper, Recipe, Tokens
from tacit.numerics.processes import gather, total
from tacit.objectives.nt_xent import nt_xent
from tacit.parts.images.blocks import MOST, blocks
from tacit.parts.images.turns import TURNS, turned
from tacit.parts.patches import cut, side_of_patches
from tacit.views.kinds import Raster

NOISE, ALIEN = (0.5, 0.7), 0.35  # shares of a picture that noise, or pieces of another picture, stand in place of
WEAK = {"jitter": 0.3, "brightness": 0.1, "contrast": 0.1, "saturation": 0.1, "hue": 0.01, "grey": 0.0, "blur": 0.1}
STRONG = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.2, "hue": 0.1, "blur": 1.0, "solarise": 0.2}


class SiT(Method):
    """Two looks, each turned by a number of quarters and damaged in blocks, by noise or by pieces of another picture. What the
    encoder says of patches draws the picture (mean absolute error of damaged pixels), of all together the turn and, through
    a head of three layers, which look is of the same picture; each loss L of weight 0.5 / s² with a learned s.

    checked: Sara-Ahmed/SiT@669ea71
    Compared: the three losses, their weights and gradients by its own model, whose two further tokens were the patches' mean.
    Differs: this is the paper's first version; the later code has a teacher and no turn. The mean of the tokens is read where
    the paper has a token for each task; weights begin as torch's do; resizing is bilinear.
    """

    paper = Paper("SiT: Self-supervised vIsion Transformer", "Atito, Awais, Kittler", 2021, "arXiv:2104.03602")
    views = Raster(looks=2, of={"image": ({"crop": (0.2, 1.0), **WEAK}, {"crop": (0.2, 1.0), **STRONG})})
    whole_batch = True
    recipe = Recipe(
        lr=5e-4, scale="linear", batch=64, weight_decay=0.04, decay_growth=10.0, warmup=10, final_lr=0.02, clip=3.0, epochs=500
    )
    recipes = {"small": Recipe(lr=1e-3, batch=128, weight_decay=0.05, warmup=2, clip=3.0, epochs=40)}

    def __init__(self, encoder: Tokens, *, dim: int = 256, hidden: int = 2048, temperature: float = 0.5):
        super().__init__(encoder)
        positive(dim=dim, hidden=hidden, temperature=temperature)
        self.turn, self.contrast = head(encoder.dim, hidden, 4), head(encoder.dim, hidden, dim)
        self.patch, self.temperature = side_of_patches(encoder), temperature
        self.scales = nn.Parameter(torch.ones(3))

    def prepare(self, facts: Facts):
        d = self.encoder.dim
        pixels = nn.Linear(d, facts.shape[0] * self.patch**2)
        self.draw = nn.Sequential(nn.Linear(d, d), nn.GELU(), nn.Linear(d, d), nn.GELU(), pixels)

    def step(self, batch: Batch):
        which = [(TURNS * batch.uniform(f"turn {v}", 1)[:, 0]).long() for v in range(2)]
        looks = [turned(view, by) for view, by in zip(batch, which)]
        marred, mask = (torch.cat(both) for both in zip(*(damaged(look, batch, f"{v}") for v, look in enumerate(looks))))
        losses = self.losses(torch.cat(looks), marred, mask, torch.cat(which))
        weighted = 0.5 / self.scales.square() * torch.stack(losses) + (1 + self.scales.square()).log()
        return dict(zip(("turn", "contrast", "drawing"), weighted))

    def losses(self, seen: Tensor, marred: Tensor, mask: Tensor, which: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of two looks one after another, 2n × c × s × s, as they were and damaged, where (2n × 1 × s × s), and their turns."""
        tokens = self.encoder.tokens(marred)
        z = tokens.mean(1)
        first, second = self.contrast(z).chunk(2)
        off = (self.draw(tokens).float() - cut(seen, self.patch)).abs()
        hidden = cut(mask.expand_as(seen).float(), self.patch)
        return (
            cross_entropy(self.turn(z).float(), which),
            nt_xent(first, second, self.temperature),
            total((off * hidden).sum()) / total(hidden.sum()),
        )

    def represent(self, batch: Batch):
        return self.encoder.tokens(batch.views[0]).mean(1)


def head(dim: int, hidden: int, out: int) -> nn.Sequential:
    layers = [nn.Linear(before, after, bias=False) for before, after in ((dim, hidden), (hidden, hidden), (hidden, out))]
    return nn.Sequential(layers[0], nn.GELU(), layers[1], nn.GELU(), layers[2])


def damaged(x: Tensor, batch: Batch, name: str) -> tuple[Tensor, Tensor]:
    """Half of the pictures have noise in blocks, the others pieces of another one: n × c × s × s, and where, n × 1 × s × s."""
    alien, share, other = batch.uniform(f"damage {name}", 3).unbind(1)
    alien, everyone = alien < 0.5, gather(x)
    covered = torch.where(alien, ALIEN, NOISE[0] + (NOISE[1] - NOISE[0]) * share)
    mask = blocks(batch.uniform(f"blocks {name}", MOST, 4), covered, x.shape[3])[:, None]
    noise = batch.normal(f"noise {name}", *x.shape[1:])
    filler = torch.where(alien[:, None, None, None], everyone[(other * len(everyone)).long()], noise)
    return torch.where(mask, filler, x), mask
