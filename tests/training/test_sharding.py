"""Fully sharded training: two processes that each hold a share of the encoder learn what one learns, and leave whole files."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tacit import encoders
from tacit.check import IMAGES, PARTS, STEPS, VECTORS, Case, Toy, killed_at, same_state
from tacit.data.generated import clusters, pairs, tiny_images
from tacit.errors import TacitError
from tacit.method import Facts
from tacit.methods import find
from tacit.numerics.processes import alike, like, norms, shared, whole
from tacit.training import sharding
from tacit.training.checkpoint import read
from tacit.training.chunks import chunked
from tests.contracts import probes

STILL = {"optimizer": "sgd", "momentum": 0.9, "lr": 0.02}
SHALLOW = {**VECTORS.options, "depth": 0}
LISTS = "tests.training.test_sharding:Nested"
UNLIKE = {"dim": 8, "first_encoder": LISTS, "second_options": {"width": 16, "depth": 0}}  # depth 0: no norm over chunks
MASKED = {"patch": 4, "width": 24, "depth": 2, "heads": 3, "decoder_width": 16, "decoder_depth": 1, "decoder_heads": 2}
WAYS = {
    "accumulated": ("npid", {"negatives": 0}, {"accumulate": 2}),
    "in chunks": ("simclr", {"temperature": 0.2}, {"chunk": 10}),
    "tokens in chunks": ("mae", MASKED, {"chunk": 10}),
    "two parts with blocks": ("convirt", {"dim": 8, "first_encoder": LISTS, "second_encoder": LISTS}, {}),
    "two parts of unlike width, in chunks": ("convirt", UNLIKE, {"chunk": 10}),
    "blocks within blocks": ("npid", {"negatives": 0, "nested": True}, {}),
    "stages, each with a fresh encoder": ("mcl", {"rounds": 2, "clusters": 2, "batch": 10, "epochs": 1}, {}),
    "a teacher, clipped, averaged": ("byol", {"hidden": 16, "dim": 8, "clip": 0.1, "ema": 0.9}, {}),
}


class Nested(torch.nn.Module):
    """Lists of blocks within the blocks of a list."""

    def __init__(self, facts):
        super().__init__()
        width, self.dim = facts.shape[0], 8
        inner = [torch.nn.ModuleList(torch.nn.Linear(width, width) for _ in range(2)) for _ in range(2)]
        self.blocks = torch.nn.ModuleList(Within(layers) for layers in inner)
        self.last = torch.nn.Linear(width, self.dim)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.last(x)


class Within(torch.nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = x + torch.tanh(layer(x))
        return x


def few():
    return clusters(150, dim=64)


def few_images():
    return tiny_images(150, size=12)


def few_pairs():
    return pairs(150)


def learned(folder, key, options, strategy, died=0):
    """The state after a few steps, gone on with where it died at one; and which parameters were shares."""
    others = {"mae": (few_images, IMAGES.options), "convirt": (few_pairs, PARTS.options)}
    data, usual = others.get(key, (few, SHALLOW))
    options = {**usual, **STILL, **options}
    nested = options.pop("nested", False)
    case = Case(find(key), Toy(data, options))
    case.config = replace(case.config, strategy=strategy)
    if nested:
        case.config = replace(case.config, encoder=LISTS, encoder_options={})
    if died:
        killed_at(died, 0, lambda: case.train(Path(folder), steps=STEPS, log_steps=1, save_seconds=0.0))
    trained = case.train(Path(folder), steps=STEPS, log_steps=1, save_seconds=0.0)
    shares = [name for name, parameter in trained.method.named_parameters() if shared(parameter)]
    return {name: whole(value).clone() for name, value in trained.method.state_dict().items()}, shares


@pytest.mark.parametrize("way", WAYS)
def test_two_sharded_processes_equal_one(way, pair, tmp_path):
    """Also where they died and went on; and what was saved is whole."""
    key, options, how = WAYS[way]
    alone, none = learned(tmp_path / "alone", key, options, "ddp")
    for state, shares in pair.run(learned, tmp_path / "two", key, options | how, "fsdp", 2, patience=600):
        assert shares and not none
        same_state(alone, state, 1e-5, way)
    *_, last = sorted((tmp_path / "two").glob("stage-*.safetensors"))
    tensors, _ = read(last)
    same_state(alone, {name: tensors[f"method/{name}"] for name in alone}, 1e-5, "what was saved")


def of_two_parts():
    """What a sharded encoder of two parts, of which one has a list of blocks, answers; and a whole one of the same weights."""
    parts = {"first": {"kind": "image", "shape": [3, 12, 12], "size": 12}, "second": {"kind": "vector", "shape": [8]}}
    facts = Facts("pair", 100, ((3, 12, 12), (8,)), {"kind": "pair", **parts})
    draw = torch.Generator().manual_seed(0)
    given = torch.rand(4, 3, 12, 12, generator=draw), torch.rand(4, 8, generator=draw)
    found = []
    for sharded in (False, True):
        encoder = encoders.factory("dual", facts, 0, first_encoder="small_vit")()
        method = find("convirt")(encoder)
        if sharded:
            sharding.shard(method, find("convirt").recipe.but(optimizer="sgd"), torch.device("cpu"))
        found.append([whole(part(x)).detach() for part, x in zip((encoder.first, encoder.second), given)])
    return found


def test_blocks_that_two_encoders_list_are_sharded_once(pair):
    for plain, sharded in pair.run(of_two_parts, patience=600):
        for one, other in zip(plain, sharded):
            torch.testing.assert_close(one, other)


def rows_that_blocks_see():
    """Of 16 images in chunks of 4, whole and sharded, asked for tokens; and what they say."""
    facts = Facts("image", 100, (3, 12, 12), {"kind": "image", "size": 12})
    x, found = torch.rand(16, 3, 12, 12, generator=torch.Generator().manual_seed(0)), []
    for sharded in (False, True):
        encoder = encoders.factory("small_vit", facts, 0, width=24, depth=2, heads=3, patch=4)()
        method, seen = find("mae")(encoder), []
        method.prepare(facts)
        encoder.blocks[0].register_forward_pre_hook(lambda _, given, seen=seen: seen.append(len(given[0])))
        if sharded:
            sharding.shard(method, find("mae").recipe.but(optimizer="sgd"), torch.device("cpu"))
        with chunked(method, 4):
            said = encoder.tokens(x)
        said.square().mean().backward()
        gradient = whole(encoder.blocks[1].norm1.weight.grad)
        after = len(encoder.tokens(x[:6]))
        found.append((seen[:4], said.detach(), gradient, after, seen[-1]))
    return found


def test_calls_of_a_sharded_encoder_are_cut_into_chunks_too(pair):
    for plain, sharded in pair.run(rows_that_blocks_see, patience=600):
        assert plain[0] == sharded[0] == [4] * 4 and plain[3:] == sharded[3:] == (6, 6)  # and not afterwards
        for one, other in zip(plain[1:3], sharded[1:3]):
            torch.testing.assert_close(one, other)


def test_what_is_whole_is_left_alone():
    x, y = torch.arange(4.0), torch.ones(2)
    assert whole(x) is x and like(x, y) is x and not shared(x)
    assert alike([x, y]) == [[0, 1]]
    assert [float(norm) for norm in norms([x, y])] == pytest.approx([14**0.5, 2**0.5])


def test_what_shards_cannot_is_refused():
    players = object.__new__(probes.TwoPlayers)
    torch.nn.Module.__init__(players)
    with pytest.raises(TacitError, match="parts of itself in turn"):
        sharding.shard(players, probes.TwoPlayers.recipe, torch.device("cpu"))
    whole_layers = object.__new__(probes.Memory)
    torch.nn.Module.__init__(whole_layers)
    with pytest.raises(TacitError, match="the norm of whole layers"):
        sharding.shard(whole_layers, probes.Memory.recipe.but(optimizer="lars"), torch.device("cpu"))
