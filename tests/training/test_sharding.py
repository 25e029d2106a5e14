"""Fully sharded training: two processes that each hold a share of the encoder learn what one learns, and leave whole files."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tacit.check import STEPS, VECTORS, Case, Toy, killed_at, same_state
from tacit.data.generated import clusters
from tacit.errors import TacitError
from tacit.methods import find
from tacit.numerics.processes import alike, like, norms, shared, whole
from tacit.training import sharding
from tacit.training.checkpoint import read
from tests.contracts import probes

STILL = {"optimizer": "sgd", "momentum": 0.9, "lr": 0.02}
WAYS = {
    "accumulated": ("npid", {"negatives": 0}, {"accumulate": 2}),
    "in chunks": ("simclr", {"temperature": 0.2}, {"chunk": 10}),
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


def learned(folder, key, options, strategy, died=0):
    """The state after a few steps, gone on with where it died at one; and which parameters were shares."""
    options = {**VECTORS.options, "depth": 0, **STILL, **options}
    nested = options.pop("nested", False)
    case = Case(find(key), Toy(few, options))
    case.config = replace(case.config, strategy=strategy)
    if nested:
        case.config = replace(case.config, encoder="tests.training.test_sharding:Nested", encoder_options={})
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
