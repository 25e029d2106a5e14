"""DirectPred against facebookresearch/luckmatters@625b5f7.

ROUNDS are five steps of SGD (rate 0.1, momentum 0.9) by its own trainer's `update`, `regulate_predictor` and
`_update_target_network_parameters` (ssl/real-dataset/byol_trainer.py), with its heads and the options of its README, around
a linear encoder, on current torch in float64; `torch.eig`, which is no more, was `torch.linalg.eig` there.
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.self_distillation.directpred import DirectPred, aligned
from tests.methods.fixed import D, Identity, N, wave

# by `every`, of each step: loss, norms of the gradients of encoder, projector (2) and predictor, then after it the
# correlation's first row, the predictor's second, the target's last layer's third
ROUNDS = {
    1: [
        (0.211931, [7.621715, 3.559263, 1.882349, 0.995946], [0.327231, 0.214881, 0.03594, 0.031994, 0.073989],
         [0.265698, 0.265681, 0.189572, 0.144097, 0.087689],
         [0.487682, 0.173831, -0.284571, -0.497729, -0.281304, 0.176427, 0.486161]),
        (-0.321505, [2.756998, 3.158206, 1.274159, 0.774033], [0.751157, 0.751236, 0.528483, 0.370542, 0.198663],
         [0.319453, 0.364565, 0.248472, 0.166316, 0.083152],
         [0.495835, 0.180768, -0.277409, -0.494577, -0.273232, 0.18529, 0.492566]),
        (0.140213, [9.192182, 9.738553, 2.163088, 1.546605], [0.843626, 0.88964, 0.582567, 0.368759, 0.167331],
         [0.34472, 0.415936, 0.244491, 0.153026, 0.086055],
         [0.501014, 0.189892, -0.265811, -0.496765, -0.269382, 0.190385, 0.501584]),
        (0.357736, [2.794527, 2.883716, 2.486237, 2.049622], [0.923006, 0.966656, 0.547474, 0.32545, 0.16411],
         [0.376092, 0.454979, 0.217969, 0.132813, 0.104388],
         [0.500456, 0.199866, -0.257825, -0.51185, -0.271548, 0.185032, 0.511802]),
        (-1.218822, [0.867331, 1.052814, 1.565746, 2.471511], [0.760052, 0.758258, 0.269901, 0.161976, 0.18985],
         [0.402855, 0.486924, 0.145785, 0.091554, 0.151218],
         [0.490409, 0.207794, -0.251317, -0.539884, -0.283308, 0.166437, 0.522193]),
    ],
    2: [
        (0.211931, [7.621715, 3.559263, 1.882349, 0.995946], [0.327231, 0.214881, 0.03594, 0.031994, 0.073989],
         [0.265698, 0.265681, 0.189572, 0.144097, 0.087689],
         [0.487682, 0.173831, -0.284571, -0.497729, -0.281304, 0.176427, 0.486161]),
        (-0.321505, [2.756998, 3.158206, 1.274159, 0.774033], [0.751157, 0.751236, 0.528483, 0.370542, 0.198663],
         [0.277009, 0.279311, 0.198417, 0.160475, 0.112908],
         [0.495835, 0.180768, -0.277409, -0.494577, -0.273232, 0.18529, 0.492566]),
        (-0.138931, [9.143528, 7.920569, 1.605548, 1.174135], [0.843626, 0.88964, 0.582567, 0.368759, 0.167331],
         [0.34472, 0.415936, 0.244491, 0.153026, 0.086055],
         [0.505239, 0.189162, -0.267959, -0.491942, -0.264001, 0.193609, 0.500138]),
    ],
}  # fmt: skip


class Linear(nn.Linear):
    """An encoder of one layer."""

    dim = D

    def __init__(self):
        super().__init__(D, D)


def made(**options):
    """DirectPred with the tensors that the official code was given."""
    method = DirectPred(Linear(), dim=5, hidden=7, teacher_momentum=0.9, **options)
    first, norm, _, last = method.projector
    norm.requires_grad_(False)  # it has neither scale nor shift there
    with torch.no_grad():
        for i, layer in enumerate((method.encoder, first, last)):
            layer.weight.copy_(wave(*layer.weight.shape, turn=0.7 + 0.13 * i) * 0.5)
            if layer.bias is not None:
                layer.bias.copy_(wave(*layer.bias.shape, turn=1.1 + 0.2 * i) * 0.3)
        method.predictor.weight.copy_(wave(5, 5, turn=0.9) * 0.5)
        method.teacher.follow(nn.Sequential(method.encoder, method.projector), 0.0)
    return method


@pytest.mark.parametrize("every", ROUNDS)
def test_steps_of_the_official_trainer(every):
    method = made(every=every)
    optimizer = torch.optim.SGD([p for p in method.parameters() if p.requires_grad], 0.1, momentum=0.9)
    layers = (method.encoder, method.projector[0], method.projector[3], method.predictor)
    for number, (loss, norms, correlation, predictor, target) in enumerate(ROUNDS[every]):
        batch = Batch([wave(N, D, turn=0.9 + 0.1 * number), wave(N, D, turn=1.7 + 0.1 * number)], torch.arange(N))
        found = method.step(batch)
        optimizer.zero_grad()
        found.backward()
        assert found.item() - 4 == pytest.approx(loss, abs=1e-3)
        assert [float(layer.weight.grad.norm()) for layer in layers] == pytest.approx(norms, rel=2e-3)
        optimizer.step()
        with torch.no_grad():
            method.after_step(batch)
        close = {"rtol": 1e-3, "atol": 2e-4}
        torch.testing.assert_close(method.correlation[0], torch.tensor(correlation), **close)
        torch.testing.assert_close(method.predictor.weight[1].detach(), torch.tensor(predictor), **close)
        torch.testing.assert_close(method.teacher.module[1][3].weight[2], torch.tensor(target), **close)


def test_the_predictor_shares_directions_and_its_strengths_are_roots():
    basis = torch.linalg.qr(wave(4, 4, turn=0.7)).Q
    s = torch.tensor([4.0, 1.0, 0.25, 0.0])
    found = aligned(basis * s @ basis.T, 0.1)
    torch.testing.assert_close(found, basis * torch.tensor([1.1, 0.6, 0.35, 0.1]) @ basis.T, rtol=1e-4, atol=1e-4)
    least = aligned(torch.diag(torch.tensor([1.0, 0.0])), 0.0)
    torch.testing.assert_close(least, torch.diag(torch.tensor([1.0, 1e-4])))


@pytest.mark.parametrize("wrong", [{"every": 0}, {"inertia": 1.5}, {"teacher_momentum": -0.1}, {"dim": 0}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        DirectPred(Identity(), **wrong)
