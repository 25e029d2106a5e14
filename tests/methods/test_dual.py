"""ALIGN, ConVIRT, LLaVE and MERU: steps by hand, and against official code.

The numbers of LLaVE are what WeightedClipLoss of DeepLearnXMU/LLaVE@2c23053 gave on these tensors, those of MERU what
meru/lorentz.py and the loss of MERU.forward of facebookresearch/meru@6d44300 gave.
"""

import math

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.dual.align import ALIGN, COLDEST
from tacit.methods.dual.convirt import ConVIRT
from tacit.methods.dual.llave import LLaVE
from tacit.methods.dual.meru import MERU
from tacit.numerics import lorentz
from tests.methods.fixed import sine


class Both(nn.Module):
    """An encoder of two parts that says what it sees."""

    dim = 5

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Identity(), nn.Identity()

    def forward(self, x):
        return x


def sides():
    return sine(6, 5, rate=0.7).requires_grad_(), (sine(6, 5, rate=0.7) * 0.5 + sine(6, 5, rate=1.3)).requires_grad_()


def batch(*views):
    return Batch(views, torch.arange(len(views[0])))


TWO = torch.tensor([[1.0, 0, 0, 0, 0], [0, 1.0, 0, 0, 0]])


def test_a_step_of_align_by_hand():
    """Two pairs, each at cosine 1 with its own and 0 with the other: log(1 + e^(−1/τ)) with ε/2 of it turned round, twice."""
    method = ALIGN(Both(), temperature=0.5)
    sums = math.log(math.exp(2) + 1)
    each = sums - (0.95 * 2 + 0.05 * 0)
    assert float(method.step(batch(TWO, TWO)).detach()) == pytest.approx(2 * each, rel=1e-6)
    assert float(ALIGN(Both(), smoothing=0.0).temperature.detach()) == 1.0


def test_the_temperature_is_learned_and_never_reaches_zero():
    method = ALIGN(Both(), temperature=0.011)
    method.step(batch(TWO, TWO)).backward()
    assert float(method.temperature.grad) != 0
    with torch.no_grad():
        method.temperature -= 1.0
        method.after_step(batch(TWO, TWO))
    assert float(method.temperature.detach()) == pytest.approx(COLDEST)


def test_a_step_of_convirt_by_hand():
    method = ConVIRT(Both(), dim=5, temperature=0.5)
    for head in method.heads:
        for layer in (head[0], head[2]):
            nn.init.eye_(layer.weight)
            nn.init.zeros_(layer.bias)
    third = torch.tensor([[1.0, 0, 0, 0, 0], [0.6, 0.8, 0, 0, 0]])
    found = method.step(batch(TWO, third))
    rows = [math.log(math.exp(2.0) + math.exp(1.2)) - 2.0, math.log(math.exp(0.0) + math.exp(1.6)) - 1.6]
    columns = [math.log(math.exp(2.0) + math.exp(0.0)) - 2.0, math.log(math.exp(1.2) + math.exp(1.6)) - 1.6]
    assert float(found["finds_text"][0].detach()) == pytest.approx(sum(rows) / 2, rel=1e-5) and found["finds_text"][1] == 0.75
    assert (
        float(found["finds_image"][0].detach()) == pytest.approx(sum(columns) / 2, rel=1e-5) and found["finds_image"][1] == 0.25
    )
    assert torch.equal(method.represent(batch(TWO, third)), method.shared(TWO, 0))


LLAVE = {  # scale, alpha: loss, norm of the gradient, its row 0 of the first side and row 1 of the second
    (50.0, 0.0): (10.885416984558105, 14.838533401489258, None, [2.9629829, 4.3620491, 4.2739797, 2.3561542, -1.1377180]),
    (50.0, 9.0): (14.708045959472656, 14.909036636352539, None, [2.9631305, 4.3624501, 4.2743750, 2.3563361, -1.1377773]),
    (2.0, 0.0): (
        1.4163954257965088,
        0.4785541892051697,
        [0.033674151, -0.012637924, -0.028479446, 0.018869895, 0.059458755],
        [0.073359229, 0.146696821, 0.144334346, 0.071946107, -0.028719805],
    ),
    (2.0, 9.0): (
        4.912251949310303,
        0.5147529244422913,
        [0.029734037, -0.043489590, -0.032528739, 0.044635035, 0.064309232],
        [0.119598247, 0.173559487, 0.170016468, 0.094221018, -0.045887221],
    ),
}


@pytest.mark.parametrize("numbers", LLAVE)
def test_llave_is_the_official(numbers):
    (scale, alpha), (loss, norm, row0, row1) = numbers, LLAVE[numbers]
    first, second = sides()
    ours = LLaVE(Both(), temperature=1 / scale, alpha=alpha).step(batch(first, second))
    ours.backward()
    assert float(ours.detach()) == pytest.approx(loss, rel=1e-5)
    assert float(torch.cat([first.grad, second.grad]).norm()) == pytest.approx(norm, rel=1e-4)
    if row0 is not None:
        torch.testing.assert_close(first.grad[0], torch.tensor(row0), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(second.grad[1], torch.tensor(row1), rtol=1e-3, atol=1e-4)


OFFICIAL = [  # curvature, scale, lengths: contrast, entailment, gradient's norm, that by log curvature; row 0, angles, cones
    (
        (1.0, 1 / 0.07, 1.0),
        (6.524372100830078, 2.883249044418335, 9.232216835021973, -0.12457460165023804),
        [0.16732966899871826, -0.7286490797996521, -0.24207860231399536, 1.2892673015594482, 1.6724387407302856],
        [2.949173927307129, 2.917288303375244, 2.963371515274048, 2.879194974899292, 2.9715328216552734, 2.8753960132598877],
        [
            0.026920439675450325,
            0.04323512688279152,
            0.018176928162574768,
            0.07262896746397018,
            0.0138928294181,
            0.0816074833273,
        ],
    ),
    (
        (0.3, 5.0, 0.4),
        (1.5907319784164429, 2.2120349407196045, 0.8380082845687866, 0.05634773150086403),
        [0.025249486789107323, -0.12754489481449127, -0.12508438527584076, 0.03328940272331238, 0.13267792761325836],
        [2.584064483642578, 2.5347843170166016, 2.6841001510620117, 2.530463933944702, 2.7730023860931396, 2.540303945541382],
        [
            0.3243978023529053,
            0.40309128165245056,
            0.27720019221305847,
            0.5382626056671143,
            0.2511332035064697,
            0.5804255604743958,
        ],
    ),
]


def meru(curvature, scale, length):
    method = MERU(Both(), dim=5, curvature=curvature)
    with torch.no_grad():
        for projection in method.projections:
            projection.weight.copy_(torch.eye(5))
        method.log_scale.fill_(math.log(scale))
        method.log_lengths.copy_(torch.tensor([length, 1.5 * length]).log())
    return method


@pytest.mark.parametrize(("given", "told", "row0", "angles", "apertures"), OFFICIAL)
def test_meru_is_the_official(given, told, row0, angles, apertures):
    method, (image, text) = meru(*given), sides()
    found = method.step(batch(image, text))
    (entailment, weight), contrast = found["entailment"], found["contrast"]
    (contrast + weight * entailment).backward()
    by = float(torch.cat([image.grad, text.grad]).norm())
    ours = (float(contrast.detach()), float(entailment.detach()), by, float(method.log_curvature.grad))
    assert ours == pytest.approx(told, rel=1e-3, abs=1e-4)
    torch.testing.assert_close(image.grad[0], torch.tensor(row0), rtol=2e-3, atol=1e-3)
    x, y = (method.lifted(view, part).detach() for part, view in enumerate((image, text)))
    torch.testing.assert_close(lorentz.exterior_angle(y, x, given[0]), torch.tensor(angles), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(lorentz.half_aperture(y, given[0]), torch.tensor(apertures), rtol=1e-4, atol=1e-5)


def test_what_meru_learns_of_space_is_bounded():
    method = MERU(Both(), dim=5)
    with torch.no_grad():
        method.log_curvature.fill_(9.0)
        method.log_lengths.fill_(3.0)
        method.log_scale.fill_(9.0)
        method.after_step(batch(*sides()))
        assert float(method.log_curvature.exp()) == pytest.approx(10) and float(method.log_scale.exp()) == pytest.approx(100)
    assert method.log_lengths.tolist() == [0.0, 0.0]


def test_meru_keeps_the_order_of_distances_in_the_ball():
    method, (image, text) = meru(0.5, 5.0, 0.4), sides()
    x, y = (method.lifted(view, part) for part, view in enumerate((image, text)))
    u, v = (method.shared(view, part) for part, view in enumerate((image, text)))
    room = (1 - u.square().sum(1))[:, None] * (1 - v.square().sum(1))
    apart = torch.acosh(1 + 2 * torch.cdist(u, v).square() / room)
    torch.testing.assert_close(apart, math.sqrt(0.5) * lorentz.distance(x, y, 0.5), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e3])
def test_meru_in_bfloat16_stays_finite(scale):
    """Where both sides say the same, next to the vertex and far from it: values, and gradients, which the guards are for."""
    method = MERU(Both(), dim=5)
    x = (scale * sine(6, 5, rate=0.7)).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = method.step(batch(x, x))
    (found["contrast"] + 0.2 * found["entailment"][0]).backward()
    assert torch.isfinite(found["contrast"]) and torch.isfinite(x.grad).all()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in method.parameters())


@pytest.mark.parametrize(
    ("method", "wrong", "said"),
    [
        (ALIGN, {"smoothing": 1.0}, "smoothing is 1.0"),
        (LLaVE, {"alpha": -1.0}, "alpha is -1.0"),
        (ConVIRT, {"to_text": 2.0}, "to_text is 2.0"),
    ],
)
def test_mistakes_are_named(method, wrong, said):
    with pytest.raises(TacitError, match=said):
        method(Both(), **wrong)
