"""Point clouds seen once more: a part of one, turned, scaled, shaken (Huang et al. 2021, arXiv:2109.00179, section 3.3)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from tacit.data.clouds.samples import Clouds
from tacit.errors import TacitError, unknown
from tacit.numerics import counter
from tacit.numerics.points import grouped
from tacit.views import changed, masks
from tacit.views.kinds import MaskedGroups, MultiCrop, Neighbours, Pair, Plain, Single, Values, View

TYPICAL = 256  # points of a view where the clouds have as many
CELLS = 8  # a side, of the grid that stands for raw input


@dataclass(frozen=True)
class CloudViews:
    """The options of a view of point clouds, whose radius is 1. Shares are of the cloud's own number of points."""

    points: int  # of a view
    local_points: int  # of a small one
    turn: float = 180.0  # degrees around the vertical (z), at most, to either side
    tilt: float = 180.0  # degrees by which the vertical is tipped, at most; with both at 180 every pose is as likely
    scale: tuple[float, float] = (0.8, 1.25)  # range of the factor of all lengths
    jitter: float = 0.01  # standard deviation of the noise on each coordinate
    crop: tuple[float, float] = (0.6, 1.0)  # range of the share of the points, the nearest to one of them, that a view shows
    local_crop: tuple[float, float] = (0.2, 0.5)  # the same for small views
    holes: float = 0.0  # share of `hole_patches` regions, each around a random point, that is cut out
    hole_patches: int = 16
    mask_patches: int = 32  # groups that a masked view is made of
    mask_points: int = 16  # in each of them
    mask_ratio: float = 0.6  # share of them that is hidden

    name: ClassVar[str] = "cloud"
    parts: ClassVar[int] = 1
    kinds: ClassVar[tuple[type[View], ...]] = (Plain, Single, Pair, MultiCrop, MaskedGroups, Neighbours, Values)
    unsuited: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for name in ("points", "local_points", "hole_patches", "mask_patches", "mask_points"):
            if getattr(self, name) < 2:
                raise TacitError(f"{name} is {getattr(self, name)}; give a number of at least 2.")
        for name in ("turn", "tilt"):
            if not 0 <= getattr(self, name) <= 180:
                raise TacitError(f"{name} is {getattr(self, name)}; give degrees, from 0 to 180.")
        if self.jitter < 0 or not 0 <= self.holes < 1:
            raise TacitError(
                f"jitter is {self.jitter} and holes {self.holes}; give a strength of 0 or more, and a share below 1."
            )
        for name, highest in (("crop", 1.0), ("local_crop", 1.0), ("scale", math.inf)):
            low, high = getattr(self, name)
            if not 0 < low <= high <= highest:
                raise TacitError(f"{name} is {low}, {high}; give two numbers above 0, the smaller first, up to {highest}.")
        if not 0 < self.hidden < self.mask_patches or self.mask_points > self.points:
            raise TacitError(
                f"mask_ratio {self.mask_ratio} hides {self.hidden} of {self.mask_patches} groups of {self.mask_points} points "
                f"in views of {self.points}; give one that hides some, not all, and groups smaller than the view."
            )

    @property
    def hidden(self) -> int:
        """How many groups a masked view hides."""
        return round(self.mask_ratio * self.mask_patches)

    @classmethod
    def fit(cls, facts: Mapping[str, Any], **overrides: Any) -> "CloudViews":
        """Options for clouds of which `facts` says the typical number of `points`: views have up to 256, small ones half."""
        points = int(overrides.get("points", min(TYPICAL, max(int(facts["points"]), 2))))
        chosen: dict[str, Any] = {"points": points, "local_points": max(points // 2, 2)}
        chosen["mask_points"] = min(cls.mask_points, points)
        return cls(**chosen).but(**overrides)

    def but(self, **how: Any) -> "CloudViews":
        """The same options with some changed."""
        return changed(self, how)

    @property
    def shape(self) -> tuple[int, int]:
        """Of one view: points and coordinates."""
        return (self.points, 3)

    def look(
        self, content: Clouds, index: np.ndarray, key: int, role: str = "global", **how: Any
    ) -> tuple[Any, dict[str, Tensor]]:
        """One view of each cloud, and what was drawn for it.

        content on any device; index int64, n: whose randomness each cloud has; `how` changes options for this view. Gives
        float32, n × points × 3, on the content's device; points come again where a cloud has too few. The parameters:

        rotation    float, n × 3 × 3: applied to columns
        scale       float, n
        share       float, n: of the cloud's points, shown

        Role "plain" is the first points, unturned, without parameters. Role "local" has `local_points` of a `local_crop`. Role
        "masked" is a `numerics.points.Groups` of `mask_patches` groups of `mask_points`, with two parameters more:

        mask        bool, n × mask_patches: True where hidden, equally many of each
        keep        int64, n × (mask_patches − hidden): the others, in order
        """
        options = self.but(**how)
        points, counts = content
        n, most, device = len(points), points.shape[1], points.device
        if role == "plain":
            place = torch.arange(options.points, device=device) % counts[:, None]
            return points.gather(1, place[:, :, None].expand(-1, -1, 3)), {}
        if role not in ("global", "local", "masked"):
            raise unknown("role of a view", role, ("global", "local", "masked", "plain"))
        size, crop = (options.local_points, options.local_crop) if role == "local" else (options.points, options.crop)
        few = torch.from_numpy(counter.uniform(counter.key(key, "few"), index, 6))
        share = crop[0] + (crop[1] - crop[0]) * few[:, 0]
        shown = _cropped(points, counts, (few[:, 1].to(device) * counts).long(), share.to(device))
        if options.holes:
            draws = torch.from_numpy(counter.uniform(counter.key(key, "holes"), index, options.hole_patches))
            shown &= _without_holes(points, counts, draws.to(device), round(options.holes * options.hole_patches))
        order = torch.from_numpy(counter.uniform(counter.key(key, "order"), index, most)).to(device)
        first = order.masked_fill(~shown, 2.0).argsort(1)
        place = first.gather(1, torch.arange(size, device=device) % shown.sum(1).clamp_min(1)[:, None])
        rotation, scale = options._pose(few[:, 2:5]), options.scale[0] + (options.scale[1] - options.scale[0]) * few[:, 5]
        noise = counter.normal(counter.key(key, "jitter"), index, 3 * size).reshape(n, size, 3)
        view = points.gather(1, place[:, :, None].expand(-1, -1, 3)) @ rotation.transpose(1, 2).to(device)
        view = view * scale[:, None, None].to(device) + options.jitter * torch.from_numpy(noise).to(device)
        drawn = {"rotation": rotation, "scale": scale, "share": share}
        if role == "masked":
            luck = torch.from_numpy(counter.uniform(counter.key(key, "mask"), index, options.mask_patches))
            mask = masks.scattered(luck, options.hidden)
            keep = mask.byte().argsort(dim=1, stable=True)[:, : options.mask_patches - options.hidden]
            drawn |= {"mask": mask.to(device), "keep": keep.to(device)}
            return grouped(view, options.mask_patches, options.mask_points), drawn
        return view, drawn

    def raw(self, view: Tensor) -> Tensor:
        """What raw input means for a set of points: the share of them in each cell of an 8 × 8 × 8 grid; n × 512."""
        cell = ((view.float().clamp(-1, 1) + 1) / 2 * CELLS).long().clamp_max(CELLS - 1)
        flat = (cell[..., 0] * CELLS + cell[..., 1]) * CELLS + cell[..., 2]
        filled = torch.zeros(len(view), CELLS**3, device=view.device)
        return filled.scatter_add_(1, flat, torch.full(flat.shape, 1 / view.shape[1], device=view.device))

    def _pose(self, draws: Tensor) -> Tensor:
        """Rotations n × 3 × 3 of uniform draws n × 3: around the vertical, then the vertical tipped towards any side.

        The cosine of the tip is uniform, as on a sphere, so that 180 degrees of both are all poses alike.
        """
        turn, towards = math.radians(self.turn) * (2 * draws[:, 0] - 1), 2 * math.pi * draws[:, 1]
        cosine = 1 - (1 - math.cos(math.radians(self.tilt))) * draws[:, 2]
        tip = cosine.clamp(-1, 1).arccos()
        around = _about_z(towards)
        return around @ _about_y(tip) @ around.transpose(1, 2) @ _about_z(turn)


def _cropped(points: Tensor, counts: Tensor, middle: Tensor, share: Tensor) -> Tensor:
    """Which points are shown: so many of the cloud's nearest to the one at `middle`; bool, n × p."""
    there = torch.arange(points.shape[1], device=points.device) < counts[:, None]
    wanted = (share * counts).ceil().clamp(min=1).minimum(counts).long()
    away = (points - points[torch.arange(len(points), device=points.device), middle][:, None]).square().sum(2)
    away = away.masked_fill(~there, torch.inf)
    limit = away.sort(1).values.gather(1, wanted[:, None] - 1)
    return there & (away <= limit)


def _without_holes(points: Tensor, counts: Tensor, draws: Tensor, cut: int) -> Tensor:
    """Which points lie nearest to another than the first `cut` of some random points: bool, n × p."""
    rows = torch.arange(len(points), device=points.device)[:, None]
    seeds = points[rows, (draws * counts[:, None]).long()]
    return torch.cdist(points, seeds).argmin(2) >= cut


def _about_z(angle: Tensor) -> Tensor:
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    rows = [angle.cos(), -angle.sin(), zero, angle.sin(), angle.cos(), zero, zero, zero, one]
    return torch.stack(rows, 1).view(-1, 3, 3)


def _about_y(angle: Tensor) -> Tensor:
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    rows = [angle.cos(), zero, angle.sin(), zero, one, zero, -angle.sin(), zero, angle.cos()]
    return torch.stack(rows, 1).view(-1, 3, 3)
