"""Encoders by name: reproducible, refusing in one sentence, never touching what is not theirs."""

import inspect
import json

import pytest
import torch
from torch import nn

from tacit import encoders
from tacit.errors import TacitError
from tacit.method import Dual, Encoder, Facts, Invertible, Maps, Tokens
from tacit.modalities import MODALITIES

IMAGE = Facts("image", 100, (3, 32, 32))
VECTOR = Facts("vector", 100, (7,))
PAIR = Facts("pair", 100, (), {"first": {"kind": "image", "shape": [3, 32, 32]}, "second": {"kind": "vector", "shape": [7]}})
CLOUD = Facts("cloud", 100, (64, 3))
VIDEO = Facts("video", 100, (1, 4, 16, 16))
SERIES = Facts("series", 100, (2, 64))
AUDIO = Facts("audio", 100, (4000,), {"rate": 8000, "mean": -9.0, "std": 3.0})
TRIPLES = Facts("triples", 100, (3,), {"entities": ["a", "b", "c"], "relations": ["r"]})
CATEGORY = {"type": "category", "values": ["a", "b"], "codes": "1 2", "counts": "3 4", "distinct": 2}
TABLE = Facts("table", 100, (6,), {"columns": [{"name": "x", **CATEGORY}, {"name": "y", **CATEGORY}]})
NODES = Facts("graph", 100, (7,), {"nodes": 100})
NODES_OF_HYPERGRAPH = Facts("hypergraph", 100, (7,))
GRAPHS = Facts("graphs", 100, (7,), {"edge_features": 0})
CHOICES = Facts("interactions", 100, (4,), {"users": ["a", "b"], "items": ["x", "y"], "features": [{"size": 3}]})
BERT = {"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "vocab_size": 4}
BERT_AS_IS = {"name": "./nowhere", "config": json.dumps(BERT), "before": [1], "behind": [2]}
TEXT = Facts("text", 100, (16, 4), {"seen": "5 4 3 2", "texts": 100, "model": BERT_AS_IS})
FACTS = {
    "text": TEXT,
    **{"graph": NODES, "graphs": GRAPHS, "hypergraph": NODES_OF_HYPERGRAPH, "triples": TRIPLES, "table": TABLE},
    **{"image": IMAGE, "cloud": CLOUD, "vector": VECTOR, "pair": PAIR, "interactions": CHOICES},
    **{"audio": AUDIO, "video": VIDEO, "series": SERIES},
}
NATIVE = [(kind, name) for kind in MODALITIES for name in encoders.names(kind)]


class Own(nn.Module):
    """A user's encoder that wants nothing of the data."""

    def __init__(self, *, width: int = 5):
        super().__init__()
        self.layer, self.dim = nn.Linear(7, width), width

    def forward(self, x):
        return self.layer(x)


class OfFacts(Own):
    """A user's encoder that wants the facts."""

    def __init__(self, facts: Facts):
        super().__init__(width=facts.shape[0])


class Widthless(nn.Module):
    """Not an encoder: it does not say how wide its answers are."""


class Both(Tokens, Maps):
    """What a method may want: a protocol joined from two."""


def state(module: nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten().float() for value in module.state_dict().values()])


@pytest.mark.parametrize(("kind", "name"), NATIVE)
def test_fresh_encoders_are_reproducible_and_unlike_each_other(kind, name):
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    one, other = encoders.factory(name, FACTS[kind], 1), encoders.factory(name, FACTS[kind], 1)
    first, second = state(one()), state(one())
    torch.rand(5)
    assert torch.equal(state(other()), first) and torch.equal(state(other()), second)
    assert not torch.equal(first, second)
    assert not torch.equal(state(encoders.factory(name, FACTS[kind], 2)()), first)
    torch.random.set_rng_state(before)
    one()
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(("kind", "name"), NATIVE)
def test_the_table_of_contents_is_true(kind, name):
    encoder = encoders.factory(name, FACTS[kind], 0)()
    for wants in (Encoder, Tokens, Maps, Dual, Invertible, Both):
        assert encoders.satisfies(encoder, wants) == (name in encoders.names(kind, wants))
    assert isinstance(encoder, Encoder)
    for parameter in encoders.options(name).values():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY and parameter.default is not parameter.empty


def test_known_offers():
    assert encoders.names("image") == ["small_resnet", "small_vit", "scattering"]
    assert encoders.names("image", Maps) == ["small_resnet", "small_vit"]
    assert encoders.names("image", Tokens) == ["small_vit"]
    assert encoders.names("image", Both) == ["small_vit"]
    assert encoders.names("image", Dual) == [] and encoders.names("pair", Dual) == ["dual"]
    assert encoders.names("smell") == []


def test_options_reach_the_encoder():
    assert set(encoders.options("small_vit")) == {"patch", "width", "depth", "heads"}
    assert set(encoders.options("timm/resnet18")) == {"pretrained", "small_stem"}
    vit = encoders.factory("small_vit", IMAGE, 0, width=64, depth=2, heads=2, patch=8)()
    assert (vit.dim, len(vit.blocks), vit.patch, vit.grid) == (64, 2, 8, (4, 4))
    net = encoders.factory("small_resnet", IMAGE, 0, width=16, depth=[1, 1])()  # lists as YAML gives them
    assert net.dim == 32 and len(net.blocks) == 2
    assert encoders.factory("small_resnet", IMAGE, 0, width=16, depth=2)().dim == 16


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("small_resnett", {}, "did you mean 'small_resnet'"),
        ("Small-ViT", {}, "did you mean 'small_vit'"),
        ("mlp", {}, "small_resnet or small_vit"),
        ("small_vit", {"widht": 3}, "did you mean 'width'"),
        ("small_vit", {"width": "wide"}, "192"),
        ("small_vit", {"width": 100, "heads": 3}, "multiple"),
        ("small_resnet", {"depth": (1, 0)}, "count from 1"),
        ("timm/resnet18", {"pretraind": True}, "did you mean 'pretrained'"),
        ("torch.nn:Linear", {}, "in_features, out_features"),
        ("nowhere.at_all:Net", {}, "no module 'nowhere.at_all'"),
        (f"{__name__}:OfFacs", {}, "did you mean 'OfFacts'"),
        (f"{__name__}:Widthless", {}, "self.dim"),
        ("collections:OrderedDict", {}, "torch.nn.Module"),
    ],
)
def test_mistakes_are_answered_in_one_sentence(name, options, sentence):
    with pytest.raises(TacitError) as caught:
        encoders.factory(name, IMAGE, 0, **options)()
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_names_and_options_are_refused_before_anything_is_built():
    for name, options in (("small_resnett", {}), ("small_vit", {"widht": 3}), ("mlp", {}), ("nowhere.at_all:Net", {})):
        with pytest.raises(TacitError):
            encoders.factory(name, IMAGE, 0, **options)


def test_an_own_class_by_name_or_as_it_is():
    for name in (f"{__name__}:Own", Own):
        assert encoders.factory(name, VECTOR, 0)().dim == 5
        assert encoders.factory(name, VECTOR, 0, width=9)().dim == 9
        assert set(encoders.options(name)) == {"width"}
    assert encoders.factory(f"{__name__}:OfFacts", VECTOR, 0)().dim == 7


class Halved(Own):
    """A user's encoder that holds some of its weights in bfloat16, as a checkpoint may."""

    def __init__(self):
        super().__init__()
        self.layer.to(torch.bfloat16)
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))


def test_weights_are_kept_in_float32_whatever_they_came_in():
    encoder = encoders.factory(Halved, VECTOR, 0)()
    assert {value.dtype for value in encoder.parameters()} == {torch.float32} and encoder.seen.dtype == torch.int64
    assert encoder(torch.zeros(2, 7)).dtype == torch.float32


LARGE, ODD = Facts("image", 9, (3, 224, 224)), Facts("image", 9, (3, 100, 100))


@pytest.mark.parametrize(
    ("facts", "device", "wants", "name"),
    [
        (IMAGE, "cpu", Encoder, "small_resnet"),
        (IMAGE, "cpu", Tokens, "small_vit"),
        (LARGE, "cpu", Maps, "small_resnet"),
        (IMAGE, "cuda", Encoder, "timm/resnet18"),
        (IMAGE, "cuda", Tokens, "small_vit"),
        (LARGE, "cuda", Maps, "timm/resnet50"),
        (LARGE, "cuda", Tokens, "timm/vit_small_patch16_224"),
        (ODD, "cuda", Tokens, "small_vit"),
        (VECTOR, "cuda", Encoder, "mlp"),
        (PAIR, "cpu", Dual, "dual"),
    ],
)
def test_what_is_chosen_when_nothing_is_named(facts, device, wants, name):
    assert encoders.default(facts, device, wants) == name
    reason = encoders.why(facts, device, wants)
    assert reason.startswith(name) and "since" in reason


@pytest.mark.parametrize(
    ("facts", "wants", "sentence"),
    [
        (VECTOR, Tokens, "kind image"),
        (IMAGE, Dual, "kind pair"),
        (Facts("smell", 9, ()), Encoder, "kind image"),
        (IMAGE, Invertible, "of your own"),
    ],
)
def test_data_without_an_encoder_of_that_kind(facts, wants, sentence):
    with pytest.raises(TacitError, match=sentence):
        encoders.default(facts, "cpu", wants)


def test_an_encoder_that_lacks_what_a_method_wants():
    net = encoders.factory("small_resnet", IMAGE, 0)()
    encoders.require(net, Maps, "image")
    with pytest.raises(
        TacitError, match=r"wants Tokens .* SmallResNet has no tokens; take small_vit or timm/vit_tiny_patch16_224"
    ):
        encoders.require(net, Tokens, "image")
    with pytest.raises(TacitError, match="first and no second; give data of kind pair"):
        encoders.require(net, Dual, "image")
