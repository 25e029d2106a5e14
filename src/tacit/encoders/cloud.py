"""Three encoders of point clouds, none of which depends on the order of the points."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tacit.errors import TacitError
from tacit.method import Facts
from tacit.numerics.points import Groups, grouped, neighbours
from tacit.parts.patches import take
from tacit.parts.transformer import Block


class PointNet(nn.Module):
    """Every point through one perceptron, the largest value of each feature, and one layer more (Qi et al. 2017,
    arXiv:1612.00593, section 4.2).

    Differs from the paper: no learned alignment of input and features; narrower.
    """

    dim: int

    def __init__(self, facts: Facts, *, width: int = 256, depth: tuple[int, ...] = (64, 128)):
        super().__init__()
        cloud_shape(facts)
        if width < 1 or min(depth, default=0) < 1:
            raise TacitError(f"pointnet got width {width} and depth {depth}; give numbers of features, each of 1 or more.")
        self.layers = nn.ModuleList(_Shared(before, after) for before, after in pairwise((3, *depth)))
        self.last = nn.Linear(depth[-1], width)
        self.dim = width

    def forward(self, x: Tensor) -> Tensor:
        """Clouds n × p × 3 -> n × dim, for any p."""
        for layer in self.layers:
            x = layer(x)
        return self.last(x.amax(1))


class DGCNN(nn.Module):
    """Edges to the nearest neighbours, found anew among the features of each layer (Wang et al. 2019, arXiv:1801.07829).

    A layer makes of a point x and its neighbours y the largest of h(Ax + B(y − x)); what is linear is computed for every point,
    as (A − B)x and By, and not for every edge. All layers' features together go through one more; then the largest and the mean
    over the points are laid side by side. Differs from the paper: no learned alignment, narrower.
    """

    dim: int

    def __init__(self, facts: Facts, *, width: int = 128, depth: tuple[int, ...] = (32, 32, 64), edges: int = 12):
        super().__init__()
        points, _ = cloud_shape(facts)
        if width < 1 or min(depth, default=0) < 1 or not 1 <= edges < points:
            raise TacitError(
                f"dgcnn got width {width}, depth {depth} and {edges} edges; give numbers of features of 1 or more, one per "
                f"layer, and fewer edges than the {points} points of a view."
            )
        self.edges = edges
        self.layers = nn.ModuleList(_EdgeConvolution(before, after) for before, after in pairwise((3, *depth)))
        self.last = _Shared(sum(depth), width)
        self.dim = 2 * width

    def forward(self, x: Tensor) -> Tensor:
        """Clouds n × p × 3 -> n × dim, for any p above the number of edges."""
        found = []
        for layer in self.layers:
            x = layer(x, neighbours(x.detach().float(), x.detach().float(), min(self.edges, x.shape[1])))
            found.append(x)
        x = self.last(torch.cat(found, 2))
        return torch.cat([x.amax(1), x.mean(1)], 1)


class PointTransformer(nn.Module):
    """A transformer over groups of neighbouring points (Point-BERT: Yu et al. 2022, arXiv:2111.14819, section 3.1).

    The token of a group is a small PointNet's answer to its points, relative to their centre, plus a perceptron's to that.
    Differs: the mean of the tokens represents, without a class token; positions are added once, not before every layer.

    groups   groups of a cloud of the declared size; of a smaller one in proportion
    near     points of a group
    """

    dim: int

    def __init__(self, facts: Facts, *, groups: int = 32, near: int = 16, width: int = 192, depth: int = 4, heads: int = 3):
        super().__init__()
        self.declared, _ = cloud_shape(facts)
        if min(width, heads, depth) < 1 or width % heads:
            raise TacitError(
                f"point_transformer got width {width}, depth {depth} and heads {heads}; the width must be a multiple of the "
                "heads, and each of them above 0: keep to 64 per head."
            )
        if not (1 <= groups <= self.declared and 2 <= near <= self.declared):
            raise TacitError(
                f"point_transformer got {groups} groups of {near} points for views of {self.declared}; "
                "give no more than there are."
            )
        self.dim, self.groups, self.near = width, groups, near
        self.within = nn.ModuleList([_Shared(3, width // 2), _Shared(width // 2, width, activation=False)])
        self.where = nn.Sequential(nn.Linear(3, 64), nn.GELU(), nn.Linear(64, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        for module in (*self.where.modules(), *self.blocks.modules()):
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def tokens(self, x: Tensor | Groups, keep: Tensor | None = None) -> Tensor:
        """Clouds n × p × 3, or their groups -> n × t × dim, one token per group.

        With `keep` (int64, n × k, positions in that order) only those groups enter the network.
        """
        groups = (
            x
            if isinstance(x, Groups)
            else grouped(x, max(1, self.groups * x.shape[1] // self.declared), min(self.near, x.shape[1]))
        )
        points, centres = groups
        if keep is not None:
            points = take(points.flatten(2), keep).unflatten(2, points.shape[2:])
            centres = take(centres, keep)
        inner = points.flatten(0, 1)
        for layer in self.within:
            inner = layer(inner)
        tokens = inner.amax(1).unflatten(0, points.shape[:2]) + self.where(centres)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)

    def forward(self, x: Tensor | Groups) -> Tensor:
        """Clouds n × p × 3 -> n × dim: the mean of the tokens."""
        return self.tokens(x).mean(1)


def cloud_shape(facts: Facts) -> tuple[int, int]:
    """Points and coordinates of one view."""
    if len(facts.shape) != 2 or facts.shape[1] != 3 or facts.shape[0] < 2:
        raise TacitError(
            f"An encoder of point clouds needs views of shape (points, 3), and these have {facts.shape}; "
            "take an encoder for this kind of data."
        )
    return facts.shape[0], facts.shape[1]


class _Shared(nn.Module):
    """One layer for every point: n × p × before -> n × p × after, normalised over points and samples."""

    def __init__(self, before: int, after: int, activation: bool = True):
        super().__init__()
        self.linear, self.norm = nn.Linear(before, after, bias=False), nn.BatchNorm1d(after)
        self.activation = nn.ReLU() if activation else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.norm(self.linear(x).flatten(0, 1))).unflatten(0, x.shape[:2])


class _EdgeConvolution(nn.Module):
    """n × p × before and neighbours n × p × k -> n × p × after; the norm sees every edge."""

    def __init__(self, before: int, after: int):
        super().__init__()
        self.own, self.other = nn.Linear(before, after, bias=False), nn.Linear(before, after, bias=False)
        self.norm = nn.BatchNorm1d(after)

    def forward(self, x: Tensor, index: Tensor) -> Tensor:
        n, p, k = index.shape
        edges = take(self.other(x), index.flatten(1)).unflatten(1, (p, k)) + self.own(x)[:, :, None]  # own stands for A − B
        return F.leaky_relu(self.norm(edges.flatten(0, 2)), 0.2).view(n, p, k, -1).amax(2)
