"""The networks that the claim compares, its task and its probe, against google/revisiting-self-supervised@b530e3b.

The numbers are of its own lines on TensorFlow 2.15 as TensorFlow 1 (compat.v1, l2_regularizer of tf_slim 1.1): TURNED by its
preprocessing `rotate`; LOSS, NORMS and KERNEL by it and model_fn of self_supervision/rotation.py, the network four of the
convbnrelu of models/vggnet.py, a mean and a layer, in training; HEADS by model_fn of self_supervision/linear_eval.py on two
standardised layers after 6 000 steps of its own trainer at a rate of 0.3 and a weight decay of 0.05.
"""

import pytest
import torch
from torch import nn
from torch.nn.functional import relu

from tacit.claims.pretext.revisiting_ssl import NoSkips
from tacit.encoders.image import SmallResNet
from tacit.evaluation.labelled.linear import fit
from tacit.evaluation.unlabelled.layers import recorded, stages
from tacit.method import Batch, Facts
from tacit.methods.pretext.rotnet import RotNet
from tacit.parts.images.turns import turns
from tests.methods.fixed import fill, sine

TURNED = [
    [[0, 1, 2], [3, 4, 5], [6, 7, 8]],
    [[2, 5, 8], [1, 4, 7], [0, 3, 6]],
    [[8, 7, 6], [5, 4, 3], [2, 1, 0]],
    [[6, 3, 0], [7, 4, 1], [8, 5, 2]],
]
LOSS = 1.471492
NORMS = [0.021277, 0.003085, 0.003399, 0.050142, 0.003193, 0.001926, 0.012123, 0.003661, 0.004095, 0.036201, 0.007383, 0.07028,
         0.356301, 0.209491]  # fmt: skip
KERNEL = [0.002147, 0.002375, 0.001061, -0.001657, -0.000898, 0.001917, 0.00258, -0.000031, -0.00566]  # a gradient
HEADS = [  # rates of two layers, weights dim × classes, and intercepts
    ((0.7, 2.9), [[-0.651936, 0.587651, 0.064285], [-0.997778, 0.384367, 0.61341], [0.012868, -0.810959, 0.798091],
                  [0.319206, -0.632888, 0.313682]], [0.329304, 0.017741, -0.347047]),
    ((1.9, 4.3), [[0.041572, 0.042202, -0.083774], [-0.064682, 0.083174, -0.018491], [-0.006725, -0.006387, 0.013113],
                  [-0.014424, -0.042678, 0.057102], [0.084211, -0.081161, -0.00305]], [0.195631, 0.01468, -0.210304]),
]  # fmt: skip
CROSS_ENTROPY = 1.55759  # of both together
FACTS = Facts("image", 8, (3, 16, 16))


def test_without_skips_only_convolutions_norms_and_relus_are_left():
    torch.manual_seed(0)
    net = NoSkips(FACTS, width=4, depth=(2, 1)).eval()
    x = torch.randn(2, 3, 16, 16)
    expected = net.stem(x)
    for block in net.blocks:
        expected = relu(block.norm2(block.conv2(relu(block.norm1(block.conv1(expected))))))
    torch.testing.assert_close(net.maps(x), expected)


def test_both_have_the_same_layers_and_convolutions():
    nets = [build(FACTS, width=4, depth=(2, 2, 2)) for build in (SmallResNet, NoSkips)]
    named = [stages(net, "encoder") for net in nets]
    assert [*named[0]] == [*named[1]] == ["encoder.stem", *(f"encoder.blocks.{place}" for place in range(6))]
    with recorded(named[1]) as kept:
        nets[1](torch.randn(2, 3, 16, 16))
    assert [rows.shape[1] for rows in kept.values()] == [4, 4, 4, 8, 8, 16, 16]
    mains = [{name for name, _ in net.named_parameters() if "shortcut" not in name} for net in nets]
    assert mains[0] == mains[1] == {name for name, _ in nets[1].named_parameters()}


class Mapped(nn.Module):
    """The blocks without the stem, and the mean over their map."""

    dim = 3

    def __init__(self):
        super().__init__()
        self.blocks = NoSkips(FACTS, width=3, depth=(2,)).blocks
        for norm in (module for module in self.blocks.modules() if isinstance(module, nn.BatchNorm2d)):
            norm.eps = 1e-3  # TensorFlow's

    def forward(self, x):
        return self.blocks(x).mean((2, 3))


def test_rotation_without_skips_is_learned_as_the_official_code_learns_it():
    turned, which = turns(torch.arange(9.0).view(1, 1, 3, 3))
    assert turned[:, 0].tolist() == TURNED and which.tolist() == [0, 1, 2, 3]
    method = RotNet(Mapped())
    fill(method.parameters())
    loss = method.step(Batch([sine(5, 3, 6, 6, rate=0.7)], torch.arange(5)))
    gradients = torch.autograd.grad(loss, list(method.parameters()))
    assert loss.item() == pytest.approx(LOSS, abs=1e-5)
    assert [float(g.norm()) for g in gradients] == pytest.approx(NORMS, rel=2e-3)
    assert gradients[0][1, 2].flatten().tolist() == pytest.approx(KERNEL, rel=2e-3, abs=2e-6)


def test_probes_of_layers_are_where_the_official_ones_end():
    labels, total = torch.arange(30) * 7 % 11 % 3, 0.0
    for rates, weights, intercepts in HEADS:
        x = sum(sine(30, len(weights), rate=rate) for rate in rates)
        x = (x - x.mean(0)) / x.std(0, correction=0)
        probe = fit(x, labels, (0.05,))
        found = probe.axes @ probe.weights[0, :, :-1].T
        torch.testing.assert_close(found, torch.tensor(weights), rtol=0, atol=5e-3)
        torch.testing.assert_close(probe.weights[0, :, -1], torch.tensor(intercepts), rtol=0, atol=5e-3)
        total += float(nn.functional.cross_entropy(x @ found + probe.weights[0, :, -1], labels))
    assert total == pytest.approx(CROSS_ENTROPY, abs=1e-4)
