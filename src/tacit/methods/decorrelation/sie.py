"""SIE: one half of what is said stays as the picture is turned and recoloured, the other half moves in a way that is told."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Loss, Method, Paper, Recipe
from tacit.numerics.exact import full_precision
from tacit.objectives.variance_covariance import variance_covariance
from tacit.parts.mlp import mlp
from tacit.views.kinds import Raster

TITLE = "Self-supervised learning of Split Invariant Equivariant representations"
TOLD = 3  # numbers by which the way from one look to the other is told
WEIGHTS = {"invariance": 10.0, "equivariance": 4.5, "variance": 10.0, "covariance": 1.0}


class SIE(Method):
    """Two looks at a picture, each turned by an angle of its own up to `largest_turn` degrees and each in a hue of its own.

    The first half of the encoder's answer is to be equal for both. The second half of the first look, times a matrix that is
    linear in what is told (cosine and sine of the turn between the looks, and the difference of hues), is to be that of the
    second. A look is the largest square that fits whatever its turn, half a view's area, so that no corner tells the angle.

    checked: facebookresearch/SIE@54541cf
    Compared: terms and gradients of projectors, hypernetwork and input, by its own SIE.
    Differs: pictures are turned in their plane, there objects in space, told by a quaternion; views are cropped, there renders
    stay as they are; no biases before norms; weights decay apart from the gradient.
    """

    paper = Paper(TITLE, "Garrido, Najman, LeCun", 2023, "arXiv:2302.10283")
    views = Raster(looks=2, of={"image": {"crop": (0.4, 1.0), "flip": 0.0, "grey": 0.0, "blur": 0.0}})
    whole_batch = True
    recipe = Recipe(lr=1e-3, batch=1024, weight_decay=1e-6, schedule="constant", epochs=2000)
    recipes = {"small": Recipe(lr=2e-3, batch=256, weight_decay=1e-4, warmup=2, epochs=40, options={"dim": 256})}

    def __init__(self, encoder: Encoder, *, dim: int = 1024, largest_turn: float = 90.0, equivariance: float = 4.5):
        super().__init__(encoder)
        positive(dim=dim)
        if not 0 <= largest_turn <= 180 or equivariance < 0 or encoder.dim < 2:
            raise TacitError(
                f"largest_turn is {largest_turn}, equivariance {equivariance} and the encoder has {encoder.dim} numbers; give "
                "0 to 180 degrees, a weight of 0 or more, and 2 numbers or more to be halved."
            )
        self.staying, self.largest_turn, self.weights = encoder.dim // 2, largest_turn, WEIGHTS | {"equivariance": equivariance}
        self.invariant = mlp(self.staying, dim, dim, dim, last_bias=False)
        self.equivariant = mlp(encoder.dim - self.staying, dim, dim, dim, last_bias=False)
        self.hypernetwork = nn.Parameter(torch.empty(TOLD, dim, dim).uniform_(-(TOLD**-0.5), TOLD**-0.5))

    def step(self, batch: Batch):
        looks, poses = posed(batch, self.largest_turn)
        first, second = map(self.projected, looks)
        return split_terms(first, second, self.moved(first[1], way(*poses)), self.weights)

    def projected(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What of a look stays and what moves: n × dim each."""
        stays, moves = self.encoder(x).tensor_split([self.staying], 1)
        return self.invariant(stays), self.equivariant(moves)

    def moved(self, x: Tensor, told: Tensor) -> Tensor:
        """Rows times the matrices that are told, Σ_k told_k W_k: n × dim and n × 3 -> n × dim."""
        return torch.einsum("nk,nko->no", told, torch.einsum("kod,nd->nko", self.hypernetwork, x))


def split_terms(first: tuple, second: tuple, predicted: Tensor, weights: dict[str, float]) -> Loss:
    """The loss of two looks, by what stays and what moves of each, n × d each, and what is predicted of the second's moving.

    Variance and covariance are of both halves together; of the prediction the variance alone.
    """
    with full_precision():
        pairs = (first[0], second[0]), (predicted, second[1])
        apart, missed = ((a.float() - b.float()).square().mean() for a, b in pairs)
    found = [variance_covariance(x) for x in (torch.cat(first, 1), torch.cat(second, 1), predicted)]
    (short1, repeated1), (short2, repeated2), (short, _) = found
    terms = apart, missed, (short1 + short2 + short) / 2, repeated1 + repeated2
    return {name: (term, weights[name]) for name, term in zip(WEIGHTS, terms)}


def posed(batch: Batch, most: float) -> tuple[list[Tensor], Tensor]:
    """Views, each turned by up to `most` degrees, n × c × s × s, and how each lies: views × n × 2, its angle and its hue."""
    angles = math.radians(most) * (2 * batch.uniform("turn", len(batch.views)) - 1)
    hues = torch.stack([drawn["factors"][:, 3] for drawn in batch.params])
    return [turned(view, angle) for view, angle in zip(batch, angles.T)], torch.stack([angles.T, hues], 2)


def way(start: Tensor, end: Tensor) -> Tensor:
    """What is told between two looks that lie so, n × 2 each: cosine and sine of the turn and the difference of hues, n × 3."""
    angle, hue = (end - start).unbind(1)
    return torch.stack([angle.cos(), angle.sin(), hue], 1)


def turned(x: Tensor, angles: Tensor) -> Tensor:
    """The largest square of each picture that fits whatever the angle (in radians), turned by it: n × c × s × s."""
    cos, sin, none = angles.cos() / 2**0.5, angles.sin() / 2**0.5, torch.zeros_like(angles)
    places = torch.stack([torch.stack([cos, -sin, none], 1), torch.stack([sin, cos, none], 1)], 1)
    with full_precision():
        return grid_sample(x.float(), affine_grid(places, list(x.shape), align_corners=False), align_corners=False).to(x.dtype)
