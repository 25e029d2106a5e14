"""Videos seen once more: a clip from anywhere in time, its frames cropped and recoloured alike (CVRL, arXiv:2008.03800).

What happens in space is done by `views.image` to all frames at once, and those of a clip are given one draw. Which frames a
clip shows is drawn here, before any is decoded (`data.video.samples.Videos`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import permutations
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from tacit.data.samples import Images
from tacit.data.video.samples import Videos
from tacit.errors import TacitError, unknown
from tacit.numerics import counter
from tacit.views import changed, video_times
from tacit.views.image import ImageViews
from tacit.views.kinds import Apart, MultiCrop, Neighbours, Pair, Plain, Shuffled, Single, Speeds, Values, View

LARGEST = 64  # pixels a side of a view, unless told otherwise
ROOM_TO_CROP = 8 / 7  # frames are decoded this much larger than the views cut from them, as 256 is to 224
TINY = (4, 12, 12)  # times, rows and columns of what stands for raw input


@dataclass(frozen=True)
class VideoViews:
    """The options of a view of videos; those of space mean what they do in `ImageViews`, and hold for a whole clip."""

    side: int  # of a view in pixels
    mean: tuple[float, ...]
    std: tuple[float, ...]
    frames: int  # of a view
    every: int  # so many frames of the video lie from one of a view to the next
    speed: tuple[float, float] = (1.0, 1.0)  # range of a factor of `every`, uniform in its logarithm
    reverse: float = 0.0  # probability that a clip runs backwards
    shuffle: float = 0.0  # probability that the frames of a clip come in any order
    steady: float = 1.0  # probability that all frames of a clip are cropped and recoloured alike; else each by itself
    interval_power: float = 1.0  # the density of the time between two clips falls as its distance to the longest, to this power
    faster: float = 2.0  # how much faster the quick clips of Speeds play
    pieces: int = 4  # frames of Shuffled
    shift: int = 2  # pixels by which each of these is moved, at most, so that edges do not tell their order
    split_colours: float = 0.0  # probability that each of these shows one of its channels alone
    crop: tuple[float, float] = (0.3, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip: float = 0.5
    jitter: float = 0.8
    brightness: float = 0.8
    contrast: float = 0.8
    saturation: float = 0.8
    hue: float = 0.2
    grey: float = 0.2
    blur: float = 0.5
    blur_sigma: tuple[float, float] = (0.1, 2.0)
    solarise: float = 0.0
    local_size: int = 32
    local_crop: tuple[float, float] = (0.05, 0.3)

    name: ClassVar[str] = "video"
    parts: ClassVar[int] = 1
    kinds: ClassVar[tuple[type[View], ...]] = (Plain, Single, Pair, MultiCrop, Apart, Speeds, Shuffled, Neighbours, Values)

    def __post_init__(self) -> None:
        self.image()  # answers what is wrong of its options
        for name in ("frames", "every"):
            if getattr(self, name) < 1:
                raise TacitError(f"{name} is {getattr(self, name)}; give 1 or more.")
        for name in ("reverse", "shuffle", "steady", "split_colours"):
            if not 0 <= getattr(self, name) <= 1:
                raise TacitError(f"{name} is {getattr(self, name)}; give a probability, from 0 to 1.")
        if not 0 < self.speed[0] <= self.speed[1] or self.faster <= 0 or self.interval_power < 0 or self.shift < 0:
            raise TacitError(
                f"speed is {self.speed}, faster {self.faster}, interval_power {self.interval_power} and shift {self.shift}; "
                "give speeds above 0, the smaller first, and 0 or more of the others."
            )
        if not 2 <= self.pieces <= 5:
            raise TacitError(f"pieces is {self.pieces}; give 2 to 5 frames, whose orders can be told apart.")

    @classmethod
    def fit(cls, facts: Mapping[str, Any], **overrides: Any) -> "VideoViews":
        """Options for videos of which `facts` says the typical `length`, `height` and `width`, and `mean` and `std`.

        Views have up to 64 pixels a side and up to 8 frames, every second one of videos of 32 frames or more; colour is changed
        as on images of that size.
        """
        side = int(overrides.get("side", max(4, min(facts["height"], facts["width"], LARGEST) // 4 * 4)))
        like = ImageViews.fit({"size": max(side, 2), "mean": facts["mean"], "std": facts["std"]})
        chosen = {field.name: getattr(like, field.name) for field in fields(cls) if hasattr(like, field.name)}
        chosen["frames"] = max(1, min(8, int(facts["length"]) // 2))
        chosen["every"] = 2 if facts["length"] >= 32 else 1
        return cls(side=side, **chosen | {"crop": cls.crop}).but(**overrides)

    def but(self, **how: Any) -> "VideoViews":
        """The same options with some changed."""
        return changed(self, how)

    @property
    def unsuited(self) -> tuple[str, ...]:
        """What a method's own wishes do not change: as of images of this size and these channels."""
        return self.image().unsuited

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of one view: channels, frames, height, width."""
        return (len(self.mean), self.frames, self.side, self.side)

    def image(self, side: int = 0) -> ImageViews:
        """The same options for single images."""
        own = {field.name: getattr(self, field.name) for field in fields(ImageViews) if hasattr(self, field.name)}
        return ImageViews(size=side or self.side, **own)

    def look(
        self, content: Videos, index: np.ndarray, key: int, role: str = "global", **how: Any
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """One view of each video, and what was drawn for it.

        index int64, n: whose randomness each video has; `how` changes options for this view. Gives float32, n × channels ×
        frames × side × side, standardised, on the content's device; the parameters are those of `ImageViews` of the first frame
        (`box` as `cut`), and `places` (int64, n × frames of all clips): which frames were shown.

        Role "plain" is the clip in the middle, its largest central square, nothing random. Role "local" is a clip of a small
        part of the picture. Three roles show k clips of each video, n × k × channels × frames × …:

        apart       two, some time after one another (`video_times.apart`), each with a crop and colours of its own
        speeds      three: the second plays as fast as the first, the third at the other of two speeds from where the second
                    starts, which share crop and colours; `fast` (bool, n) says whether the first is the quick one
        shuffled    `pieces` single frames from where much moves in a clip, in an order of which `order` (int64, n) tells the
                    number, an order and its reverse being one; crop and colours are common, but each frame is moved by up to
                    `shift` pixels, and may show a single channel
        """
        options = self.but(**how)
        if content.channels != len(self.mean):
            raise TacitError(f"Videos of {content.channels} channels came where {len(self.mean)} were expected.")
        if role not in ROLES:
            raise unknown("role of a view", role, ROLES)
        places, told = ROLES[role](options, content, index, key)
        n, k, t = places.shape
        side = options.side + (2 * options.shift if role == "shuffled" else 0)
        frames = content.frames(places.reshape(n, -1), int(np.ceil(side * ROOM_TO_CROP)))
        who = options._draws_of(index, key, SHARED[role][:k] if role in SHARED else (0,), t)
        spatial = "local" if role == "local" else "plain" if role == "plain" else "global"
        seen, drawn = options.image(side).look(frames, who.reshape(-1), counter.key(key, "space"), spatial)
        drawn["cut"] = drawn.pop("box")
        view = seen.unflatten(0, (n, k, t))
        if role == "shuffled":
            view = options._disguised(view, index, key)
        view = view.transpose(2, 3)
        params = {name: value.unflatten(0, (n, k * t))[:, 0] for name, value in drawn.items()}
        params |= {name: torch.from_numpy(value).to(seen.device) for name, value in told.items()}
        params["places"] = torch.from_numpy(places.reshape(n, -1)).to(seen.device)
        return (view if role in SHARED else view[:, 0]).contiguous(), params

    def raw(self, view: Tensor) -> Tensor:
        """What raw input means for a clip: a tiny video of up to 4 times 12 × 12 pixels, as a row of numbers."""
        times, high, wide = (min(wanted, there) for wanted, there in zip(TINY, view.shape[2:]))
        return torch.nn.functional.adaptive_avg_pool3d(view.float(), (times, high, wide)).flatten(1)

    def _draws_of(self, index: np.ndarray, key: int, clips: Sequence[int], frames: int) -> np.ndarray:
        """Whose draw each frame has: that of its clip, or where a video is not to be shown so one of its own; n × k × t."""
        own = counter.uniform(counter.key(key, "alike"), index, 1) >= self.steady
        each = own[:, :, None] * (np.arange(frames) << 50)
        return index[:, None, None] + (np.array(clips)[:, None] << 46) + each

    def _middle(self, content: Videos, index: np.ndarray, key: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        lengths = content.lengths.cpu().numpy()
        steps = np.full(len(lengths), float(self.every))
        return video_times.clips(lengths, video_times.free(lengths, self.frames, steps) // 2, self.frames, steps)[:, None], {}

    def _anywhere(self, content: Videos, index: np.ndarray, key: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        lengths = content.lengths.cpu().numpy()
        draws = counter.uniform(counter.key(key, "time"), index, 4).astype(np.float64)
        steps = self.every * self.speed[0] * (self.speed[1] / self.speed[0]) ** draws[:, 0]
        starts = video_times.start(video_times.free(lengths, self.frames, steps), draws[:, 1])
        places = video_times.clips(lengths, starts, self.frames, steps)
        places = np.where(draws[:, 2:3] < self.reverse, places[:, ::-1], places)
        order = counter.uniform(counter.key(key, "shuffle"), index, self.frames).argsort(1)
        places = np.where(draws[:, 3:4] < self.shuffle, np.take_along_axis(places, order, 1), places)
        return places[:, None], {}

    def _apart(self, content: Videos, index: np.ndarray, key: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        lengths = content.lengths.cpu().numpy()
        steps = np.full(len(lengths), float(self.every))
        room = video_times.free(lengths, self.frames, steps)
        starts = video_times.apart(room, counter.uniform(counter.key(key, "time"), index, 3), self.interval_power)
        return np.stack([video_times.clips(lengths, some, self.frames, steps) for some in starts.T], 1), {}

    def _speeds(self, content: Videos, index: np.ndarray, key: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        lengths = content.lengths.cpu().numpy()
        draws = counter.uniform(counter.key(key, "time"), index, 3)
        fast = draws[:, 0] < 0.5
        slow, quick = (np.full(len(lengths), self.every * speed) for speed in (1.0, self.faster))
        room = video_times.free(lengths, self.frames, np.maximum(slow, quick))  # at either speed a clip fits
        first, second = (video_times.start(room, draws[:, column]) for column in (1, 2))
        same, other = np.where(fast, quick, slow), np.where(fast, slow, quick)
        clips = ((first, same), (second, same), (second, other))
        return np.stack([video_times.clips(lengths, starts, self.frames, steps) for starts, steps in clips], 1), {"fast": fast}

    def _shuffled(self, content: Videos, index: np.ndarray, key: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Frames of a random clip, likelier the more differs between them and the next; an order and its reverse are one.

        The clip has `pieces` frames at least.
        """
        lengths = content.lengths.cpu().numpy()
        m, n = max(self.frames, self.pieces), len(lengths)
        steps = np.full(n, float(self.every))
        draws = counter.uniform(counter.key(key, "time"), index, 2)
        window = video_times.clips(lengths, video_times.start(video_times.free(lengths, m, steps), draws[:, 0]), m, steps)
        small = _tiny(content.frames(window, 32)).unflatten(0, (n, m))
        motion = (small[:, 1:] - small[:, :-1]).abs().flatten(2).mean(2).cpu().numpy()
        weights = np.concatenate([motion, motion[:, -1:]], 1)
        luck = counter.uniform(counter.key(key, "pieces"), index, m)
        shown = np.take_along_axis(window, video_times.chosen(weights, luck, self.pieces), 1)
        orders = np.array([order for order in permutations(range(self.pieces)) if order[0] < order[-1]])
        told = np.minimum((draws[:, 1] * len(orders)).astype(np.int64), len(orders) - 1)
        back = counter.uniform(counter.key(key, "back"), index, 1) < 0.5
        order = np.where(back, orders[told][:, ::-1], orders[told])
        return np.take_along_axis(shown, order, 1)[:, :, None], {"order": told}

    def _disguised(self, view: Tensor, index: np.ndarray, key: int) -> Tensor:
        """Frames n × k × 1 × c × side + 2 shift, each cut where it is drawn, in single channels where that is drawn."""
        n, k, device = len(view), view.shape[1], view.device
        draws = counter.uniform(counter.key(key, "disguise"), index, 3 * k + 1)
        by = torch.from_numpy((draws[:, : 2 * k] * (2 * self.shift + 1)).astype(np.int64)).view(n, k, 1, 1, 2).to(device)
        along = torch.arange(self.side, device=device)
        rows, columns = (by[..., axis : axis + 1] + along for axis in (0, 1))
        size = (*view.shape[:4], self.side, view.shape[5])
        view = view.gather(4, rows[..., None].expand(size))
        view = view.gather(5, columns[..., None, :].expand(*size[:5], self.side))
        channels = view.shape[3]
        one = torch.from_numpy((draws[:, 2 * k : 3 * k] * channels).astype(np.int64)).to(device).view(n, k, 1, 1, 1, 1)
        split = torch.from_numpy(draws[:, -1] < self.split_colours).to(device).view(n, 1, 1, 1, 1, 1)
        return torch.where(split, view.gather(3, one.expand(-1, -1, -1, 1, self.side, self.side)), view)


def _tiny(images: Images) -> Tensor:
    """Images averaged to 16 × 16, without regard to padding: n × channels × 16 × 16."""
    return torch.nn.functional.adaptive_avg_pool2d(images.pixels.permute(0, 3, 1, 2).float(), 16)


ROLES = {  # how the frames of a view are chosen: n × clips × frames, and what is told of it
    "global": VideoViews._anywhere,
    "local": VideoViews._anywhere,
    "plain": VideoViews._middle,
    "apart": VideoViews._apart,
    "speeds": VideoViews._speeds,
    "shuffled": VideoViews._shuffled,
}
SHARED = {"apart": (0, 1), "speeds": (0, 1, 1), "shuffled": (0, 0, 0, 0, 0)}  # clips of equal number have one draw in space
