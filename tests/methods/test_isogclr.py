"""iSogCLR against zhqiu/contrastive-learning-iSogCLR@c20903b.

ROUNDS are four steps of its own SogCLR_DRO_Loss (unimodal_exps/losses.py) on these tensors, of 12 samples the first 8, on
current torch with `.cuda()` doing nothing; the first step is told that it is epoch 0, as its initialisation wants, the others
1.
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.contrast.isogclr import ISogCLR
from tests.methods.fixed import D, Identity, N, wave

# loss, norm of the gradient, the second view's of sample 2; then estimates, temperatures and momentum of the first four
ROUNDS = [
    (0.322245, 0.574906, [0.032417, -0.027138, -0.010296, -0.025146, -0.066651, -0.00646],
     [855.167847, 108.965553, 36.964592, 83.325493],
     [0.126171, 0.112469, 0.118855, 0.119239], [-0.872361, -0.41563, -0.628485, -0.641286]),
    (0.664346, 0.507963, [-0.043979, -0.06814, -0.013541, 0.065628, 0.065223, -0.002311],
     [284.788361, 444.076019, 358.374023, 323.776001],
     [0.094256, 0.147895, 0.160655, 0.153118], [1.06382, -1.180863, -1.393348, -1.129312]),
    (0.247626, 0.518313, [-0.133155, -0.015332, 0.082861, 0.099199, 0.041276, -0.079248],
     [1137.261108, 153.181824, 114.291595, 144.363083],
     [0.116424, 0.124926, 0.136555, 0.143783], [-0.738935, 0.765638, 0.803326, 0.311164]),
    (0.327345, 0.574846, [-0.025484, 0.047851, 0.06977, 0.017538, -0.070488, -0.079987],
     [480.900055, 117.159546, 51.306992, 53.822643],
     [0.092082, 0.118935, 0.112222, 0.116748], [0.811401, 0.199703, 0.81112, 0.901161]),
]  # fmt: skip


def made(**options):
    method = ISogCLR(Identity(), **options)
    method.projector = nn.Identity()
    method.prepare(Facts("vector", 12))
    return method


def batch(number):
    first = wave(N, D, turn=0.9 + 0.1 * number)
    return Batch([first.requires_grad_(), (first.detach() * 0.5 + wave(N, D, turn=1.7)).requires_grad_()], torch.arange(N))


def test_four_steps_are_the_official_ones():
    method = made()
    for number, (loss, norm, row, estimates, temperatures, momentum) in enumerate(ROUNDS):
        looks = batch(number)
        found = method.step(looks)
        found.backward()
        with torch.no_grad():
            method.after_step(looks)
        first, second = (view.grad for view in looks)
        assert found.item() == pytest.approx(loss, abs=2e-5)
        assert float(torch.cat([first, second]).norm()) == pytest.approx(norm, rel=1e-4)
        torch.testing.assert_close(second[2], torch.tensor(row), rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(method.estimates[:4], torch.tensor(estimates), rtol=1e-4, atol=1e-3)
        torch.testing.assert_close(method.temperatures[:4], torch.tensor(temperatures), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(method.momentum[:4], torch.tensor(momentum), rtol=1e-3, atol=1e-5)
    assert not method.estimates[N:].any() and (method.temperatures[N:] == 0.1).all()  # who was not met stays as it was


def test_without_a_rate_it_is_sogclr_at_one_temperature():
    method = made(rate=0.0, temperature=0.3)
    looks = batch(0)
    method.step(looks)
    method.after_step(looks)
    assert (method.temperatures == 0.3).all() and method.estimates[:N].all()


def test_temperatures_stay_between_their_bounds():
    method, looks = made(rate=100.0), batch(0)
    method.step(looks)
    method.after_step(looks)
    assert ((method.temperatures[:N] - 0.05).abs().minimum((method.temperatures[:N] - 1).abs()) < 1e-6).all()


@pytest.mark.parametrize("wrong", [{"share": 1.5}, {"rate": -1.0}, {"temperature": 0.01}, {"dim": 0}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        ISogCLR(Identity(), **wrong)
