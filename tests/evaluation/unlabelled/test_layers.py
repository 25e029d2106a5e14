"""The stages of a module, what is recorded of them, and how their numbers are told."""

import json

import pytest
import torch
from torch import nn

from tacit.encoders.image import SmallResNet, SmallViT
from tacit.errors import TacitError
from tacit.evaluation.labelled.knn import knn
from tacit.evaluation.labelled.linear import linear
from tacit.evaluation.panel import Judged
from tacit.evaluation.unlabelled.alignment import alignment
from tacit.evaluation.unlabelled.alpha_req import alpha_req
from tacit.evaluation.unlabelled.layers import Layers, layer, pooled, recorded, stages
from tacit.evaluation.unlabelled.rankme import rankme
from tacit.evaluation.unlabelled.spread import spread
from tacit.evaluation.unlabelled.uniformity import uniformity
from tacit.method import Facts
from tacit.parts.mlp import mlp

IMAGES = Facts("image", 10, (3, 32, 32), {})


def rows(n=200, d=20, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def test_stages_are_what_a_forward_passes():
    blocks = [f"encoder.blocks.{i}" for i in range(4)]
    assert list(stages(SmallResNet(IMAGES), "encoder")) == ["encoder.stem", *blocks]
    vit = list(stages(SmallViT(IMAGES, width=64, depth=2, heads=1), "encoder"))
    assert vit == ["encoder.embed", "encoder.blocks.0", "encoder.blocks.1", "encoder.norm"]
    assert list(stages(mlp(4, 5, 6), "projector")) == [f"projector.{i}" for i in range(4)]
    wrapped = nn.Module()
    wrapped.model = mlp(4, 6)
    assert list(stages(wrapped, "encoder")) == ["encoder.model.0"]
    assert stages(nn.Linear(2, 3), "projector") == {}


def test_what_is_recorded_is_what_each_stage_answered_though_the_next_works_in_place():
    torch.manual_seed(0)
    net, x = mlp(20, 8, 6).eval(), rows()
    with recorded(stages(net, "p")) as kept:
        net(x)
    by_hand, expected = x, {}
    for i, step in enumerate(net):
        by_hand = step(by_hand.clone())  # the ReLU overwrites what it is given
        expected[f"p.{i}"] = by_hand.clone()
    assert list(kept) == list(expected)
    for name, answer in expected.items():
        torch.testing.assert_close(kept[name], answer.detach())


def test_maps_and_tokens_are_pooled_to_rows():
    maps = torch.randn(4, 5, 3, 2)
    torch.testing.assert_close(pooled(maps), maps.mean((2, 3)))
    torch.testing.assert_close(pooled(maps, last=True), maps.mean((1, 2)))
    torch.testing.assert_close(pooled(maps[..., 0]), maps[..., 0].mean(1))
    encoder, images = SmallResNet(IMAGES).eval(), torch.randn(2, 3, 32, 32)
    with recorded(stages(encoder, "encoder")) as kept, torch.no_grad():
        z = encoder(images)
    torch.testing.assert_close(kept["encoder.stem"], encoder.stem(images).mean((2, 3)).detach())
    torch.testing.assert_close(kept["encoder.blocks.3"], z)


def test_hooks_go_even_on_errors():
    net = mlp(20, 8, 6).eval()
    with pytest.raises(RuntimeError), recorded(stages(net, "p")):
        net(rows(d=7))
    assert not any(module._forward_hooks for module in net.modules())


def test_answers_that_are_no_rows_are_left_out():
    class Pair(nn.Module):
        def forward(self, x):
            return x, x

    net = nn.Sequential(Pair())
    with recorded({"pair": net[0]}) as kept:
        net(rows())
    assert kept == {}


def test_the_numbers_are_those_of_the_activations():
    x, other = rows(300), rows(300) + 0.1 * rows(300, seed=1)
    y = (x[:, 0] > 0).long()
    train, test = Judged(x[:200], y[:200]), Judged(x[200:], y[200:])
    found = layer("encoder.1", x, views=(x, other), train=train, test=test)
    assert found.width == 20 and [n.name for n in found.numbers][:2] == ["knn", "linear"]
    for by_hand in (rankme(x), alpha_req(x), spread(x), uniformity(x), alignment(x, other)):
        assert found.number(by_hand.name) == by_hand
    for by_hand in (knn(*train, *test), linear(*train, *test)):
        assert found.number(by_hand.name).value == by_hand.value
    assert found.number("ndcg_at_10") is None and layer("a", x).number("knn") is None


def test_what_the_projector_does_is_said():
    wide, narrow = rows(), rows()[:, :2]
    told = Layers([layer("encoder.0", wide), layer("encoder", wide), layer("projector", narrow)], 200)
    table = str(told)
    assert told["projector"].width == 2 and "before the projector" in told.projector[0]
    assert table.splitlines()[0].startswith("layer") and table.splitlines()[2].startswith("encoder.0  20")
    assert any(note.startswith("projector: α-ReQ") for note in told.notes)  # two components have no law
    assert not any(sentence.startswith("α-ReQ") for sentence in told.projector)
    assert json.loads(json.dumps(told.as_dict()))["layers"][1]["name"] == "encoder"
    assert Layers([layer("encoder", wide)], 200).projector == []


def test_mistakes():
    with pytest.raises(TacitError, match="no layer to tell"):
        Layers([], 0)
    with pytest.raises(TacitError, match="no layer 'x'; there are a"):
        Layers([layer("a", rows())], 200)["x"]
