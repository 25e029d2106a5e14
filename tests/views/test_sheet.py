"""The sheet of views: the originals and the views are where they belong, with the standardisation undone."""

import numpy as np
import torch

from tacit.data.samples import Images, Parts, Vectors
from tacit.views import Program, modality
from tacit.views.kinds import Masked, MultiCrop, Paired
from tacit.views.sheet import CELL, EMPTY, FAINT, GAP, LINE, sheet

IMAGE = {"kind": "image", "size": 16, "mean": [0.3, 0.5, 0.7], "std": [0.1, 0.2, 0.3]}
VECTOR = {"kind": "vector", "mean": [0.0] * 2, "std": [1.0] * 2}
CALM = {"jitter": 0.0, "grey": 0.0, "flip": 0.0}
IMAGES = Images(
    torch.tensor([200, 100, 50], dtype=torch.uint8).expand(2, 20, 30, 3).contiguous(), torch.tensor([[20, 30], [20, 10]])
)


def cell(page, column, row):
    left, top = GAP + column * (CELL + GAP), GAP + LINE + row * (CELL + LINE + GAP)
    return np.asarray(page)[top : top + CELL, left : left + CELL]


def test_images_and_small_views():
    program = Program(MultiCrop(large=1, small=2), modality("image").fit(IMAGE, local_size=8, **CALM))
    page = sheet(IMAGES, ["a", "b" * 200], program, np.array([4, 2]), 0)
    assert page.size == (GAP + 4 * (CELL + GAP), GAP + LINE + 2 * (CELL + LINE + GAP))
    assert (cell(page, 0, 1)[:, : CELL // 4 - 1] == 255).all()  # a narrow image leaves its cell free at the sides
    for row in (0, 1):
        assert (cell(page, 1, row) == (200, 100, 50)).all()
        small = cell(page, 2, row)
        assert (small[CELL // 4 : CELL * 3 // 4, CELL // 4 : CELL * 3 // 4] == (200, 100, 50)).all() and (
            small[:10] == 255
        ).all()


def test_hidden_patches_are_grey():
    program = Program(Masked(), modality("image").fit(IMAGE, mask_patch=4, **CALM))
    page = sheet(IMAGES, ["a", "b"], program, np.array([4, 2]), 0)
    hidden, side = program(IMAGES, np.array([4, 2]), 0)[1][0]["mask"].view(2, 4, 4), CELL // 4
    grey = [int(FAINT[i : i + 2], 16) for i in (1, 3, 5)]
    for row in (0, 1):
        shown = cell(page, 1, row)
        for y in range(4):
            for x in range(4):
                patch = shown[y * side : (y + 1) * side, x * side : (x + 1) * side]
                assert (patch == (grey if hidden[row, y, x] else (200, 100, 50))).all()


def test_a_pair_shows_bars_beside_images():
    pair = modality("pair").fit({"first": IMAGE, "second": VECTOR}, noise=0.0, drop=0.0, **CALM)
    page = sheet(
        Parts(IMAGES, Vectors(torch.tensor([[3.0, -3.0], [0.0, 9.0]]))), ["a", "b"], Program(Paired(), pair), np.arange(2), 0
    )
    assert (cell(page, 1, 0) == (200, 100, 50)).all()
    empty, quarter = np.array([int(EMPTY[i : i + 2], 16) for i in (1, 3, 5)]), CELL // 4
    for column in (2, 3):
        filled = (cell(page, column, 0) != empty).any(2)
        assert filled[quarter, quarter] and not filled[quarter, 3 * quarter]  # up on the left …
        assert filled[3 * quarter, 3 * quarter] and not filled[3 * quarter, quarter]  # … down on the right
