"""The Lorentz model of hyperbolic space: points on one sheet of a hyperboloid in d + 1 dimensions, of which the d of space are
kept; the time of a point x is √(1/c + |x|²), for curvature −c.

Everything is computed in the type that comes, which should be float32 or float64: in bfloat16 cosh d − 1 is lost already where
points are 0.1 apart. Guards keep gradients finite where points meet, and are as wide as the type needs them.
"""

import math

import torch
from torch import Tensor

FARTHEST = math.asinh(2.0**15)  # √c times the length of a tangent that is followed, at most: space below 2^15 / √c
NEAREST = 1e-6  # added to cosh of a distance, and taken from the cosine or sine of an angle, at least: 1 + 1e−8 is 1 in float32


def time(x: Tensor, c: Tensor | float) -> Tensor:
    """The time of points: … × d -> …"""
    return (1 / c + x.square().sum(-1)).sqrt()


def exp_map(v: Tensor, c: Tensor | float) -> Tensor:
    """Where geodesics from the vertex lead that start with velocity v: sinh(√c |v|) v / (√c |v|), … × d -> … × d."""
    length = (c**0.5) * v.norm(dim=-1, keepdim=True).clamp_min(1e-8)
    return torch.sinh(length.clamp_max(FARTHEST)) / length * v


def inner(x: Tensor, y: Tensor, c: Tensor | float) -> Tensor:
    """The Lorentzian products ⟨x, y⟩ = x · y − time x · time y: n × d, m × d -> n × m; at most −1/c, where points meet."""
    return x @ y.T - time(x, c)[:, None] * time(y, c)


def distance(x: Tensor, y: Tensor, c: Tensor | float) -> Tensor:
    """arcosh(−c ⟨x, y⟩) / √c: n × d, m × d -> n × m."""
    return torch.acosh((-c * inner(x, y, c)).clamp_min(1 + NEAREST)) / c**0.5


def half_aperture(x: Tensor, c: Tensor | float, least: float = 0.1) -> Tensor:
    """Half the angle of the cone of what x entails, asin(2 K / (√c |x|)) with K `least`: … × d -> …, in (0, π/2].

    It narrows away from the vertex and is π/2 within 2 K / √c of it (Desai et al. 2023, arXiv:2304.09172, equation 5, after
    Ganea, Bécigneul, Hofmann 2018, arXiv:1804.01882).
    """
    return torch.asin((2 * least / (c**0.5 * x.norm(dim=-1).clamp_min(1e-8))).clamp_max(1 - NEAREST))


def exterior_angle(x: Tensor, y: Tensor, c: Tensor | float) -> Tensor:
    """π less the angle at x of the triangle of the vertex, x and y, by the hyperbolic law of cosines: … × d, … × d -> …, in
    [0, π]; 0 where y lies behind x as seen from the vertex (Desai et al. 2023, equation 6)."""
    product = c * ((x * y).sum(-1) - time(x, c) * time(y, c))
    across = x.norm(dim=-1) * (product.square() - 1).clamp_min(NEAREST).sqrt()
    cosine = (time(y, c) + product * time(x, c)) / across.clamp_min(1e-8)
    return torch.acos(cosine.clamp(-1 + NEAREST, 1 - NEAREST))


def in_ball(x: Tensor, c: Tensor | float) -> Tensor:
    """The same points in the Poincaré ball of radius 1, whose distances are √c times those here: … × d -> … × d."""
    space = c**0.5 * x
    return space / (1 + (1 + space.square().sum(-1, keepdim=True)).sqrt())
