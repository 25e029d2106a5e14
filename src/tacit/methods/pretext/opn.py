"""OPN: in which order four frames came."""

from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, cross_entropy

from tacit.errors import TacitError, positive
from tacit.method import Batch, Method, Paper, Recipe
from tacit.parts.video.frames import Frames
from tacit.views.kinds import Shuffled

FRAMES, ORDERS = 4, 12
PAIRS = tuple(combinations(range(FRAMES), 2))


class OPN(Method):
    """Four frames of a video, shuffled: each is encoded, every two are compared, and all comparisons tell which of twelve
    orders it is; an order and its reverse are one.

    unverified: HsinYingLee/OPN@32ec594 (train_opn.prototxt, Caffe) was read beside and not run. fc6, fc7 and fc8 are as
    there: the layer on pairs is one for all, with norms by place.
    Differs: any encoder of frames for CaffeNet, its map averaged to 2 × 2 cells, as many as pool5 has there; frames are
    drawn by how much differs between them and the next, where the paper takes optical flow, and the crop is not drawn by it;
    weights begin as torch's do; one rate of dropout for both layers.
    """

    paper = Paper(
        "Unsupervised Representation Learning by Sorting Sequences", "Lee, Huang, Singh, Yang", 2017, "arXiv:1708.01246"
    )
    views = Shuffled(of={"video": {"pieces": FRAMES, "jitter": 0.0, "grey": 0.0, "blur": 0.0, "split_colours": 1.0}})
    recipe = Recipe(optimizer="sgd", lr=0.01, batch=64, weight_decay=5e-4, schedule="step", milestones=(0.76,), epochs=200)
    recipes = {
        "small": Recipe(
            optimizer="adamw",
            lr=1e-3,
            batch=64,
            weight_decay=1e-4,
            warmup=2,
            epochs=60,
            options={"grid": 4, "hidden": 256, "compared": 128},
        )
    }

    def __init__(self, encoder: Frames, *, grid: int = 2, hidden: int = 1024, compared: int = 512, dropped: float = 0.5):
        """Cells a side of a frame's map, features of a frame and of a pair, and the share of these that training leaves out."""
        super().__init__(encoder)
        positive(grid=grid, hidden=hidden, compared=compared)
        if not 0 <= dropped < 1:
            raise TacitError(f"dropped is {dropped}; give a share of 0 or more, below 1.")
        self.each = nn.Sequential(nn.Linear(encoder.dim * grid**2, hidden), nn.BatchNorm1d(hidden), nn.ReLU())
        self.compare = nn.Linear(2 * hidden, compared)
        self.norm = nn.Sequential(nn.BatchNorm1d(len(PAIRS) * compared), nn.ReLU())
        self.tell = nn.Linear(len(PAIRS) * compared, ORDERS)
        self.grid, self.dropped = grid, dropped

    def step(self, batch: Batch):
        (frames,) = batch
        if frames.shape[1] != FRAMES:
            raise TacitError(f"{frames.shape[1]} frames came to be ordered where {FRAMES} were expected; leave --pieces out.")
        return cross_entropy(self.logits(frames, batch).float(), batch.params[0]["order"])

    def logits(self, frames: Tensor, batch: Batch) -> Tensor:
        """n × 4 × c × 1 × h × w -> n × 12."""
        maps = self.encoder.frames(frames.squeeze(3).transpose(1, 2))
        cells = adaptive_avg_pool2d(maps.flatten(0, 1).float(), self.grid).flatten(1)
        z = self._thinned(self.each(cells).unflatten(0, (len(frames), FRAMES)), "each", batch)
        first, second = (z[:, [pair[place] for pair in PAIRS]] for place in (0, 1))
        compared = self.compare(torch.cat([first, second], 2)).flatten(1)
        return self.tell(self._thinned(self.norm(compared), "pairs", batch))

    def _thinned(self, z: Tensor, name: str, batch: Batch) -> Tensor:
        """Dropout, each sample's own whatever batch it is in; none outside of training."""
        if not self.training or not self.dropped:
            return z
        return z * (batch.uniform(name, *z.shape[1:]) >= self.dropped) / (1 - self.dropped)
