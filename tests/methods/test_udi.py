"""UDI against ISL-CV/udi@133c2cb.

The numbers are what its own MultiCropWrapper, UDIWrapper, MaskedAttention, DINOHead and UDILoss (utils.py,
vision_transformer.py, main_udi.py) gave over two steps of SGD at rate 0.05 on these tensors on current torch, with maps made by
its own DataAugmentation (udi_augmentation.py) of these boxes and draws; in place of its backbone an encoder of one layer and
this method's block for the class tokens.
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.self_distillation.udi import UDI
from tacit.methods.self_distillation.udi.places import Crop, places, sampled, shown, stratified
from tacit.parts.patches import cut
from tests.methods.fixed import fill, sine, wave

N, C, D, HIDDEN, K = 5, 3, 6, 7, 9
STEPS = [  # three losses, norms of eight gradients, a row of the encoder's, three of each centre
    (
        [1.386904, 1.39597, 1.371515],
        [0.005413, 0.003795, 0.003314, 0.00314, 0.013694, 0.008513, 0.035984, 0.194884],
        [-0.001707, -0.001745, -0.001013, -0.000667, -0.001124, -0.000594],
        [[0.017283, 0.023415, 0.02487], [0.016615, 0.022566, 0.02399], [0.017934, 0.024371, 0.025915]],
    ),
    (
        [1.397894, 1.393752, 1.384066],
        [0.003001, 0.003832, 0.002464, 0.001262, 0.008795, 0.005643, 0.036928, 0.177343],
        [-0.000688, -0.000819, -0.000307, -0.000056, -0.000577, -0.000249],
        [[0.033128, 0.044813, 0.04759], [0.033061, 0.044736, 0.047517], [0.034847, 0.04712, 0.050041]],
    ),
]
SHOWN = {  # asking and asked crop: how many sampled patches it shows, and the sum of where, by patches
    (0, 1): (6, 170.379),
    (1, 0): (4, 51.46),
    (2, 1): (5, 178.093),
    (2, 0): (9, 284.371),
    (3, 1): (14, 541.866),
    (3, 0): (8, 121.059),
}


class Patches(nn.Module):
    """An encoder of one layer for each patch of two pixels a side."""

    dim, patch, grid = D, 2, (8, 8)

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(C * 4, D)

    def tokens(self, x, keep=None):
        return self.layer(cut(x, 2))

    def forward(self, x):
        return self.tokens(x).mean(1)


def made(**options):
    sizes = {"k": K, "hidden": HIDDEN, "attention_heads": 2, "sharpening": (0.04, 0.04), "teacher_momentum": 0.9}
    return UDI(Patches(), **{**sizes, **options})


def filled():
    method = made()
    with torch.no_grad():
        fill([*method.encoder.parameters(), *method.said.parameters()])
        method.said.head.layers[-1].weight.copy_(
            wave(256, HIDDEN, turn=0.013)
        )  # slow waves, so that cosines are no small numbers
        method.said.head.directions.weight.copy_(wave(K, 256, turn=0.003))
        for teacher, part in zip(method.teachers, (method.encoder, method.said)):
            teacher.follow(part, 0.0)
        slow = [p for teacher in method.teachers for p in teacher.module.parameters()]
        for j, p in enumerate(slow):
            p.add_(wave(*p.shape, turn=0.31 + 0.1 * j) * 0.1)
    return method


def batch(step):
    draws = (wave(4, N, 4, turn=0.77 + step) + 1) / 2
    box = torch.cat([draws[..., :2] * 0.3, 0.4 + 0.3 * draws[..., 2:]], 2)
    flip = wave(4, N, turn=1.9) > 0
    params = [{"box": box[v], "flip": flip[v]} for v in range(4)]
    views = [sine(N, C, side, side, rate=0.3 + 0.17 * v + 0.05 * step) for v, side in enumerate((16, 16, 8, 8))]
    return Batch(views, torch.arange(N), params=params, key=step)


def test_two_steps_are_the_official():
    method = filled()
    optimizer = torch.optim.SGD([p for p in method.parameters() if p.requires_grad], lr=0.05)
    said = method.said
    watched = (method.encoder.layer.weight, said.tokens, said.block.qkv.weight, said.before.weight, said.qkv.weight)
    watched = (*watched, said.out.weight, said.head.layers[0].weight, said.head.directions.weight)
    for step, (losses, norms, row, centres) in enumerate(STEPS):
        looks = batch(step)
        terms = method.step(looks)
        optimizer.zero_grad()
        sum(loss * weight for loss, weight in terms.values()).backward()
        assert [loss.item() for loss, _ in terms.values()] == pytest.approx(losses, abs=5e-6)
        assert [float(p.grad.norm()) for p in watched] == pytest.approx(norms, rel=1e-3, abs=2e-6)
        assert method.encoder.layer.weight.grad[1, :6].tolist() == pytest.approx(row, rel=1e-3, abs=2e-6)
        optimizer.step()
        method.after_step(looks)
        torch.testing.assert_close(method.centring.means[:, :3], torch.tensor(centres), rtol=1e-4, atol=2e-6)


def test_sampled_patches_are_found_where_the_official_finds_them():
    crops = sampled(batch(0), 2, (3, 2))
    for (asking, asked), (count, where) in SHOWN.items():
        weights, within = shown(crops[asking].places, crops[asked])
        assert within.sum() == count
        assert float(((weights @ torch.arange(64.0)) * within).sum()) == pytest.approx(where, abs=2e-3)


@pytest.mark.parametrize("grid, window", [((8, 8), 3), ((7, 5), 2), ((4, 4), 2), ((6, 6), 3), ((3, 4), 1)])
def test_each_window_gives_one_patch(grid, window):
    down, across = (side // window for side in grid)
    draws = torch.rand(400, 2 + down * across, generator=torch.Generator().manual_seed(0))
    cells = stratified(draws, grid, window)
    rows, columns = cells // grid[1], cells % grid[1]
    top = torch.where(draws[:, 0] < 0.5, 0, grid[0] - down * window)[:, None]
    left = torch.where(draws[:, 1] < 0.5, 0, grid[1] - across * window)[:, None]
    windows = (rows - top) // window * across + (columns - left) // window
    assert (windows == torch.arange(down * across)).all()
    assert cells.unique().tolist() == list(range(grid[0] * grid[1]))  # in 400 images every patch is drawn


def test_weights_of_a_place_lead_back_to_it():
    """Where all patches of a crop lie, weighted, is the place itself: also in a mirrored crop."""
    box = torch.tensor([[0.1, 0.2, 0.6, 0.5]] * 2)
    drawn = {"box": box, "flip": torch.tensor([False, True])}
    every = torch.arange(8 * 6).expand(2, -1)
    lying = places(every, (8, 6), drawn)
    asked = box[:, None, :2] + box[:, None, 2:] * torch.rand(2, 11, 2, generator=torch.Generator().manual_seed(1))
    asked[:, 0] = 0.9
    weights, within = shown(asked, Crop((8, 6), every, lying, drawn))
    assert within.tolist() == [[False] + [True] * 10] * 2
    torch.testing.assert_close(weights.sum(2), torch.ones(2, 11))
    torch.testing.assert_close((weights @ lying)[:, 1:], asked[:, 1:])


def test_crops_that_do_not_meet_have_no_parts():
    method, looks = filled(), batch(0)
    for v, drawn in enumerate(looks.params):
        drawn["box"] = torch.tensor([[0.25 * v, 0.0, 0.2, 1.0]]).expand(N, 4)
    terms = method.step(looks)
    assert terms["parts"][0].item() == 0
    assert terms["blends"][0].isfinite() and method.centring.counts.tolist() == [2 * N, 2 * 3 * N, 0]
    method.after_step(looks)
    assert method.centring.means[2].abs().sum() == 0


def test_large_crops_alone_are_enough():
    method, looks = filled(), batch(0)
    few = Batch(looks.views[:2], looks.index, params=looks.params[:2], key=0)
    both, large = ([loss.item() for loss, _ in method.step(one).values()] for one in (looks, few))
    assert large[2] == pytest.approx(both[2])  # of the large ones alone in any case
    assert large[0] != pytest.approx(both[0]) and large[1] != pytest.approx(both[1])


def test_the_whole_is_represented_by_the_first_class_token():
    method, looks = filled(), batch(0)
    with torch.no_grad():
        z = method.represent(looks)
        torch.testing.assert_close(z, method.said.whole(method.encoder.tokens(looks.views[0]))[:, 0])
    assert z.shape == (N, D)


def test_a_weight_of_nothing_leaves_its_loss_out():
    weights = [weight for _, weight in made(weights=(1.0, 0.0, 3.0)).step(batch(0)).values()]
    assert weights == pytest.approx([0.25, 0.0, 0.75])


@pytest.mark.parametrize(
    "wrong",
    [
        {"weights": (0.0, 0.0, 0.0)},
        {"sharpening": (0.1, 0.0)},
        {"windows": (3, 0)},
        {"k": 0},
        {"blend": 1.5},
        {"temperature": 0},
    ],
)
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        made(**wrong)


def test_heads_that_do_not_divide_the_tokens_are_refused():
    with pytest.raises(TacitError, match="4 heads"):
        made(attention_heads=4)


def test_windows_larger_than_a_crop_are_refused():
    with pytest.raises(TacitError, match="4 × 4 patches and its windows are 5 × 5"):
        made(windows=(3, 5)).step(batch(0))
