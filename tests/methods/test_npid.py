"""NPID against zhirongw/lemniscate.pytorch@f7cfe29.

The numbers are what its own lib/NCEAverage.py, NCECriterion.py, LinearAverage.py and normalize.py gave on these tensors, run on
current torch with one line changed (a resize of `.data`, which no longer resizes the tensor) and the given noise in place of
drawn. Its criterion adds 1e-7 to its denominators, ours does not.
"""

import pytest
import torch

from tacit.method import Batch, Facts
from tacit.methods.contrast.npid import NPID
from tacit.objectives.instance import instance_nce, instance_softmax
from tacit.parts.bank import Bank
from tests.methods.fixed import sine

N, D, B, K = 12, 6, 4, 5
INDEX = torch.tensor([3, 0, 7, 10])
NOISE = (torch.arange(B * K) * 5 % N).view(B, K)

NCE = {  # temperature: Z, then for each of two rounds: loss, norm of the gradient, its first row
    0.07: (
        9275.1845703125,
        [
            (
                8.773231506347656,
                4.250421047210693,
                [0.54518229, -1.04506254, -1.88325059, -1.69632399, -0.89756274, 0.08444872],
            ),
            (12.74624252319336, 4.021790504455566, [0.82683289, -0.47924042, -1.10075688, -0.14604157, 0.91352665, 0.41585523]),
        ],
    ),
    0.1: (
        854.8543701171875,
        [
            (
                6.527235984802246,
                3.046896457672119,
                [0.44347826, -0.74158573, -1.35418117, -1.21021068, -0.65672362, 0.00053739],
            ),
            (9.23158073425293, 2.552168846130371, [0.49562076, -0.33060357, -0.6988982, -0.08126353, 0.58104563, 0.26309568]),
        ],
    ),
}
SOFTMAX = {  # temperature: loss, norm of the gradient, its first row
    0.07: (7.78662109375, 5.435381889343262, [1.0275687, -1.19697475, -2.28382754, -1.98907840, -1.16906762, -0.32618168]),
    0.1: (5.899260520935059, 3.740556478500366, [0.70876801, -0.8268857, -1.57735467, -1.37395644, -0.80722570, -0.22418737]),
}
ROWS = [  # of the bank after each round, whatever the temperature: rows 3 and 10
    [
        [0.01473598, 0.70632696, 0.65504056, 0.07596511, -0.24570325, -0.07527387],
        [-0.73958427, -0.53399509, 0.08579981, 0.36873737, 0.15656359, -0.0048428],
    ],
    [
        [0.00904202, 0.58013308, 0.6661787, 0.37575963, 0.17775071, 0.2162845],
        [-0.18027566, -0.07268848, 0.47015053, 0.48235103, -0.1778075, -0.69057763],
    ],
]


def filled():
    bank = Bank(N, D, 0.5)
    bank.features.copy_(torch.nn.functional.normalize(sine(N, D, rate=0.7)))
    return bank


@pytest.mark.parametrize("temperature", NCE)
def test_two_rounds_of_noise_contrastive_estimation(temperature):
    bank, partition = filled(), torch.tensor(0.0)
    z, rounds = NCE[temperature]
    for rate, (loss, norm, row), rows in zip((1.3, 0.45), rounds, ROWS):
        feature = sine(B, D, rate=rate).requires_grad_()
        entries = bank.features[torch.cat([INDEX[:, None], NOISE], 1)]
        ours, partition = instance_nce(feature, entries, N, temperature, partition)
        ours.backward()
        bank.update(INDEX, feature)
        assert float(partition) == pytest.approx(z, rel=1e-5)  # set in the first round, kept in the second
        assert float(ours.detach()) == pytest.approx(loss, rel=1e-5)
        assert float(feature.grad.norm()) == pytest.approx(norm, rel=1e-4)
        torch.testing.assert_close(feature.grad[0], torch.tensor(row), rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(bank.features[[3, 10]], torch.tensor(rows), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("temperature", SOFTMAX)
def test_full_softmax(temperature):
    loss, norm, row = SOFTMAX[temperature]
    bank, feature = filled(), sine(B, D, rate=1.3).requires_grad_()
    ours = instance_softmax(feature, bank.features, INDEX, temperature)
    ours.backward()
    bank.update(INDEX, feature)
    assert float(ours.detach()) == pytest.approx(loss, rel=1e-5)
    assert float(feature.grad.norm()) == pytest.approx(norm, rel=1e-4)
    torch.testing.assert_close(feature.grad[0], torch.tensor(row), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(bank.features[[3, 10]], torch.tensor(ROWS[0]), rtol=1e-4, atol=1e-5)


class Width(torch.nn.Module):
    """An encoder of a width and nothing else."""

    dim = 5

    def forward(self, x):
        return x


def test_the_bank_moves_after_the_step_and_the_partition_is_set_once():
    torch.manual_seed(0)
    method = NPID(Width(), dim=D, negatives=8)
    method.prepare(Facts("vector", N))
    before, partitions = method.bank.features.clone(), []
    for _ in range(2):
        batch = Batch([torch.randn(B, 5)], INDEX, key=1)
        method.step(batch)
        partitions.append(float(method.partition))
    assert torch.equal(method.bank.features, before)  # logits and gradient use the old entries
    assert partitions[0] == partitions[1] > 0
    method.after_step(batch)
    moved = (method.bank.features != before).any(1)
    assert sorted(moved.nonzero().flatten().tolist()) == sorted(INDEX.tolist())
