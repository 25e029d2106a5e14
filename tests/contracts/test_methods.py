"""Every method found keeps the contract; a new one is covered by being in the table of contents."""

import inspect
from dataclasses import replace

import pytest
import torch
from torch import nn

from tacit.check import CLOUDS, SOUNDS, VECTORS, Case, Failed, Toy, check_method, same_state, several_steps, vectors
from tacit.data.generated import clusters
from tacit.errors import TacitError
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.methods import find, keys
from tacit.objectives.nt_xent import nt_xent
from tacit.views.kinds import Pair
from tests.contracts.toys import toy


@pytest.mark.parametrize("key", keys())
def test_method_keeps_the_contract(key, pair):
    check_method(find(key), toy(key), pair)


@pytest.mark.parametrize("key", ["swav", "dino"])
def test_crops_of_point_clouds_are_learned_from(key):
    """Large and small ones; the contract itself is checked on images."""
    small = {"swav": {"prototypes": 12, "hidden": 64}, "dino": {"k": 32, "hidden": 64, "norm": True}}[key]
    options = {**CLOUDS.options, **small, "epochs": 2, "hold": {}}
    z = Case(find(key), Toy(CLOUDS.data, options)).train(steps=2).embed()
    assert z.shape == (128, 256) and z.isfinite().all()


@pytest.mark.parametrize("key", ["swav", "dino"])
def test_stretches_of_sounds_are_learned_from(key):
    """Long and short ones."""
    small = {"swav": {"prototypes": 12, "hidden": 64}, "dino": {"k": 32, "hidden": 64, "norm": True}}[key]
    z = Case(find(key), Toy(SOUNDS.data, {**SOUNDS.options, **small, "epochs": 2, "hold": {}})).train(steps=2).embed()
    assert z.shape == (128, 128) and z.isfinite().all()


class Wrapped(Method):
    """Another method's loss, with the spread of the features on top."""

    paper = Paper("Probe: a wrapper", "Tacit", 2026, "tests")
    views = Pair()
    whole_batch = True
    recipe = Recipe(batch=64)

    def __init__(self, encoder: Encoder, *, inner: Method = "simclr", weight: float = 0.01):
        super().__init__(encoder)
        self.inner, self.weight = inner, weight

    def step(self, batch: Batch):
        return {"inner": self.inner.step(batch), "variety": (self.encoder(batch.views[0]).std(0).mean(), -self.weight)}


def test_a_wrapper_keeps_the_contract(pair):
    check_method(Wrapped, replace(VECTORS, elsewhere=False), pair)


class Forgotten(Method):
    """A head that no loss reaches."""

    paper = Paper("Probe: a mistake", "Tacit", 2026, "tests")
    views = Pair()
    recipe = Recipe(batch=64)

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)
        self.head = nn.Linear(encoder.dim, 4)

    def step(self, batch: Batch):
        return nt_xent(self.encoder(batch.views[0]), self.encoder(batch.views[1]), 0.2)


class Collapsing(Method):
    """Agreement with nothing against it."""

    paper = Paper("Probe: a mistake", "Tacit", 2026, "tests")
    views = Pair()
    recipe = Recipe(batch=64)

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)

    def step(self, batch: Batch):
        first, second = (self.encoder(view) for view in batch)
        return (first - second).square().mean()


class PerProcess(Method):
    """Statistics of a process's own share in place of everybody's."""

    paper = Paper("Probe: a mistake", "Tacit", 2026, "tests")
    views = Pair()
    recipe = Recipe(batch=64)

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)

    def step(self, batch: Batch):
        first, second = (self.encoder(view) for view in batch)
        correlation = (first - first.mean(0)).T @ (second - second.mean(0)) / len(first)
        return (correlation - torch.eye(len(correlation))).square().mean()


@pytest.mark.parametrize(
    ("method", "promise"), [(Forgotten, "gets some"), (Collapsing, "accuracy|collapse"), (PerProcess, "two processes")]
)
def test_mistakes_are_named(method, promise, pair):
    with pytest.raises(Failed, match=promise):
        check_method(method, replace(VECTORS, elsewhere=False), pair)


def test_on_a_small_labelled_toy_the_lines_of_observers_are_no_losses():
    toy = replace(VECTORS, data=lambda: clusters(128, dim=16))  # two batches an epoch, after which the observers look
    assert len(several_steps(find("simclr"), toy)["losses"]) == 3


def test_a_parent_other_than_method_is_refused():
    with pytest.raises(TypeError, match="derive from Method itself"):
        type("Child", (Wrapped,), {})


def test_names_that_torch_needs_are_refused():
    def __init__(self, encoder, *, half: int = 1):
        pass

    with pytest.raises(TypeError, match="half"):
        type("Halved", (Method,), {"__init__": __init__})


@pytest.mark.parametrize("name", ["groups", "solve", "progress", "batch_size"])
def test_an_option_named_like_a_hook_is_refused(name):
    """Kept under its name, it would stand in the hook's place."""

    def __init__(self, encoder, *, hook: int = 1):
        pass

    given = inspect.signature(__init__).parameters
    named = [p.replace(name=name) if p.name == "hook" else p for p in given.values()]
    __init__.__signature__ = inspect.Signature(named)
    with pytest.raises(TypeError, match=name):
        type("Hooked", (Method,), {"__init__": __init__})


def test_a_loss_over_whole_batches_is_not_accumulated():
    with pytest.raises(TacitError, match="cannot be accumulated"):
        Case(find("simclr"), Toy(vectors, {"batch": 64, "epochs": 1}), accumulate=2).train(steps=1)


def test_accumulated_micro_batches_equal_the_batch():
    """NPID's loss is a mean over samples, and its encoder here has no batch statistics."""
    options = {"batch": 64, "epochs": 1, "optimizer": "sgd", "lr": 0.02, "depth": 0, "negatives": 0}
    states = [Case(find("npid"), Toy(vectors, options), accumulate=n).train(steps=3).method.state_dict() for n in (1, 4)]
    same_state(states[0], states[1], 1e-5, "accumulated")
