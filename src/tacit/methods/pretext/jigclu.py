"""JigClu: pieces of a whole batch, mixed into montages, are put together again."""

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, cross_entropy, interpolate

from tacit.errors import TacitError, positive
from tacit.method import Batch, Maps, Method, Paper, Recipe
from tacit.numerics.processes import gather, mine
from tacit.objectives.supcon import among_labelled
from tacit.parts.looks import EVEN_COLOUR
from tacit.parts.mlp import mlp
from tacit.views.kinds import Raster

CORNERS = ((0.0, 0.0), (0.0, 0.2), (0.2, 0.0), (0.2, 0.2))  # where pieces of 0.8 of each side begin: down, across
ENLARGED = 8  # cells a side of a montage's map before it is averaged, so that cells fall into the four pieces
BASE = 0.07  # temperature at which the released loss has a weight of 1
LOOK = {"local_crop": (0.2, 1.0), **EVEN_COLOUR}


class JigClu(Method):
    """Four pieces of each image, cropped and recoloured each by itself, are shuffled over the batch and laid four and four
    into montages. From a quarter of a montage's map a head tells which pieces are of one image, another where each was.

    A batch counts images, of which there are as many montages: one view each is encoded. A piece is as large as a small view
    (`--local-size`), an image in judging as a view.

    checked: dvlab-research/JigsawClustering@1490f3b
    Compared: montages, labels, both losses and gradients by its own model for one permutation.
    Differs: a piece's side is 3/7 of a view's, in steps of 8 pixels, there half; norms are alike on all processes. As in the
    released code the clustering loss weighs temperature / 0.07, of which the paper does not speak. What is read as one piece's
    is its neighbours' by 14 % where a map has 7 × 7 cells, as there, and by 23 % where it has 2 × 2, as of 16 pixels.
    """

    paper = Paper(
        "Jigsaw Clustering for Unsupervised Visual Representation Learning", "Chen, Liu, Jia", 2021, "arXiv:2104.00323"
    )
    views = Raster(
        looks=4,
        small=True,
        of={"image": tuple({"within": (down, across, down + 0.8, across + 0.8), **LOOK} for down, across in CORNERS)},
    )
    whole_batch = True
    recipe = Recipe(optimizer="sgd", lr=0.03, batch=256, weight_decay=1e-4, epochs=200)
    recipes = {"small": Recipe(optimizer="adamw", lr=2e-3, batch=128, weight_decay=1e-4, warmup=1, epochs=40)}

    def __init__(self, encoder: Maps, *, dim: int = 128, temperature: float = 0.3, location_weight: float = 1.0):
        super().__init__(encoder)  # type: ignore[arg-type]  # what offers maps is a module
        positive(dim=dim, temperature=temperature)
        if location_weight < 0:
            raise TacitError(f"location_weight is {location_weight}; give 0 or more.")
        self.projector = mlp(encoder.dim, encoder.dim, dim, norm=False)
        self.locate = nn.Linear(encoder.dim, len(CORNERS))
        self.temperature, self.location_weight = temperature, location_weight

    def step(self, batch: Batch):
        order = gather(batch.uniform("place", len(CORNERS))).T.flatten().argsort()
        n, own = len(order) // len(CORNERS), mine(len(batch), order.device)
        montages = montage(gather(torch.stack(batch.views, 1)), order)[own]
        cells = pieces(self.encoder.maps(montages)).flatten(0, 1)
        number = order[own[:, None] + n * torch.arange(len(CORNERS), device=own.device)].flatten()
        clustering = among_labelled(self.projector(cells), number % n, self.temperature)
        location = cross_entropy(self.locate(cells).float(), number // n)
        return {
            "clustering": (clustering, self.temperature / BASE),
            "location": (location, self.location_weight),
        }


def montage(looks: Tensor, order: Tensor) -> Tensor:
    """Pieces N × 4 × c × s × s in an order, int64 4N, -> N × c × 2s × 2s.

    A piece's number is N · its place + its image. The first N of that order lie above left, then above right, below left and
    below right.
    """
    parts = looks.transpose(0, 1).flatten(0, 1)[order].chunk(len(CORNERS))
    return torch.cat([torch.cat(parts[:2], 3), torch.cat(parts[2:], 3)], 2)


def pieces(maps: Tensor) -> Tensor:
    """Maps n × d × h × w of montages -> their four pieces, row by row: n × 4 × d."""
    large = interpolate(maps, size=(ENLARGED, ENLARGED), mode="bilinear", align_corners=False)
    return adaptive_avg_pool2d(large, 2).flatten(2).transpose(1, 2)
