"""CPP against LeslieTrue/CPP@cb39bdc.

The numbers are of its own CPPNet(6, 5, 4), SinkhornDistance(0.175, 5), MLCLoss(0.1, 1), TotalCodingRate(0.1) and seg_compute on
current torch, put together as in main.py.
"""

import pytest
import torch

from tacit.encoders.vector import MLPEncoder
from tacit.method import Batch, Facts
from tacit.methods.clustering.cpp_rate_reduction import CPP
from tacit.numerics.exact import unit
from tacit.objectives.rates.coding_rate import coding_length
from tests.methods.fixed import D, N, fill, matrix_gradients, wave

SPREAD, GATHERED, SQUARES, LOSS = 2.375718, 2.303603, 1.079899, -0.01812
FIRST_ROW = [0.286447, 0.039147, 0.093428, 0.004027, 0.017827, 0.253173, 0.012312, 0.293641]
GRADIENTS = [0.117182, 0.922328, 2.280465, 0.157897]
INPUT = (0.103077, [-0.007301, 0.008042, 0.019603, 0.021944, 0.013964, -0.000583])
WARM = [0.432254, 9.936305, 12.821393]  # gradients while codes are only spread; the second head has none
LENGTH = 53.736748
LABELS = torch.tensor([0, 0, 1, 2, 1, 1, 2, 0])


@pytest.fixture
def method():
    """CPP with the weights that the official code was given."""
    made = CPP(MLPEncoder(Facts("vector", N, (D,)), width=5, depth=1), dim=4)
    first, norm, _, last = made.encoder.layers
    fill([first.weight, norm.weight, norm.bias])
    with torch.no_grad():
        for layer, turn in zip((last, made.feature_head, made.cluster_head), (2.3, 3.1, 4.3)):
            layer.weight.copy_(wave(*layer.weight.shape, turn=turn))
            layer.bias.copy_(wave(len(layer.bias), turn=turn) * 0.3)
    return made


def test_loss_memberships_and_gradients_are_the_official_ones(method):
    x = wave(N, D, turn=0.9).requires_grad_()
    method.progress = 0.5
    terms = method.step(Batch([x], torch.arange(N)))
    (squares, penalty), spread, gathered = terms.pop("squares"), terms["rate"], terms["group_rate"]
    found = [float(value.detach()) for value in (spread, gathered, squares)]
    assert found == pytest.approx([-SPREAD, GATHERED, SQUARES], abs=1e-4)
    loss = spread + gathered + penalty * squares
    loss.backward()
    assert float(loss.detach()) == pytest.approx(LOSS, abs=1e-4)
    assert matrix_gradients(method) == pytest.approx(GRADIENTS, rel=1e-3)
    assert float(x.grad.norm()) == pytest.approx(INPUT[0], rel=1e-3)
    assert x.grad[0].tolist() == pytest.approx(INPUT[1], abs=1e-5)
    said = method.cluster_head(method.encoder(x).relu())
    assert method.memberships(said)[0].tolist() == pytest.approx(FIRST_ROW, abs=1e-5)


def test_codes_are_only_spread_at_first(method):
    terms = method.step(Batch([wave(N, D, turn=0.9)], torch.arange(N)))
    value = terms["rate"] + terms["squares"][0] * terms["squares"][1]
    value.backward()
    assert float(value.detach()) == pytest.approx(-SPREAD, abs=1e-4) and terms.keys() == {"rate", "squares"}
    *rest, second = matrix_gradients(method)
    assert rest == pytest.approx(WARM, rel=1e-3) and second == 0


def test_the_second_head_is_a_copy_until_the_warm_up_ends(method):
    batch = Batch([wave(N, D, turn=0.9)], torch.arange(N))
    method.progress = 0.08
    method.after_step(batch)
    assert not torch.equal(method.cluster_head.weight, method.feature_head.weight) and not method.renewed
    method.progress = 0.07
    method.after_step(batch)
    assert torch.equal(method.cluster_head.weight, method.feature_head.weight) and method.renewed == [method.cluster_head]
    torch.testing.assert_close(method.represent(batch).norm(dim=1), torch.ones(N))


def test_the_coding_length_is_the_official_one(method):
    z = unit(method.feature_head(method.encoder(wave(N, D, turn=0.9)).relu()))
    assert coding_length(z, LABELS, 0.1) == pytest.approx(LENGTH, rel=1e-4)
