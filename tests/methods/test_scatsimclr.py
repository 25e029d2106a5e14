"""ScatSimCLR against vkinakh/scatsimclr@7630b12.

The numbers are of one `_step` of its PretextTaskTrainer with rotation, its NTXentLoss and its heads without dropout, around
an encoder that says every pixel; looks to be told were turned beforehand. The wavelets: tests/encoders/test_scattering.py.
"""

import pytest
import torch

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.contrast.scatsimclr import ScatSimCLR
from tests.methods.fixed import N, fill, matrix_gradients, wave
from tests.methods.test_rotnet import Flat

CONTRAST, TURNS = 2.730428, 1.413240
HEADS = [
    1.279692,
    0.464158,
    0.195214,
    0.302489,
    0.059479,
]  # norms of the gradients of matrices
LOOKS = [0.298261, 0.180319, 0.00209, 0.004864, 0.006245, 0.005034]  # norms of the gradients of looks


def test_terms_and_gradients_are_the_official_ones():
    method = ScatSimCLR(Flat(), dim=4, dropped=0.0)
    fill(method.projector.parameters())
    with torch.no_grad():
        for i, p in enumerate(method.head.parameters()):
            p.copy_(wave(*p.shape, turn=1.3 + 0.21 * i) * 0.3)
    looks = [wave(N, 3, 3, 3, turn=turn).requires_grad_() for turn in (0.9, 1.7, 2.3, 3.1, 0.4, 1.2)]
    terms = method.step(Batch(looks, torch.arange(N)))
    told, weight = terms["turns"]
    assert (float(terms["contrast"].detach()), float(told.detach())) == pytest.approx((CONTRAST, TURNS), abs=1e-5)
    (terms["contrast"] + weight * told).backward()
    assert matrix_gradients(method) == pytest.approx(HEADS, rel=1e-3)
    assert [float(look.grad.norm()) for look in looks] == pytest.approx(LOOKS, rel=1e-3)


def test_the_head_is_dropped_out_in_training_alone():
    method = ScatSimCLR(Flat(), dim=4)
    x = wave(N, 27, turn=0.9)
    assert not torch.equal(method.head(x), method.head(x))
    method.eval()
    assert torch.equal(method.head(x), method.head(x))


def test_a_weight_below_0_is_refused():
    with pytest.raises(TacitError, match="pretext is -1"):
        ScatSimCLR(Flat(), pretext=-1.0)
