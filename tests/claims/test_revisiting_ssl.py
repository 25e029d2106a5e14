"""The networks that the claim compares."""

import torch
from torch.nn.functional import relu

from tacit.claims.pretext.revisiting_ssl import NoSkips
from tacit.encoders.image import SmallResNet
from tacit.evaluation.unlabelled.layers import recorded, stages
from tacit.method import Facts

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
