"""LARS against a loop and the official code; groups by name; state that survives a restart."""

import numpy as np
import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Method, Recipe
from tacit.training import optimizers
from tacit.training.optimizers import LARS, build, forget, load_by_name, set_rate, state_by_name


class Probe(Method):
    """Parameters of every shape."""

    def __init__(self, factors=()):
        super().__init__(nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 4)))
        self.head = nn.Linear(4, 2)
        self.scale = nn.Parameter(torch.tensor(0.5))
        self.frozen = nn.Linear(4, 4).requires_grad_(False)
        self.factors = dict(factors)

    def groups(self):
        return self.factors

    def step(self, batch):
        return (self.head(self.encoder(batch)) * self.scale).square().mean()


def probe(factors=()):
    torch.manual_seed(0)
    return Probe(factors).to(memory_format=torch.channels_last)


def named_groups(optimizer):
    return {name: group for group in optimizer.param_groups for name in group["names"]}


def slow_lars(weights, gradients, speeds, rate, momentum, decay, eta=0.001):
    """One step by the formula, tensor by tensor, in float64: (weight, whether it adapts and decays)."""
    for i, ((w, adapts), g) in enumerate(zip(weights, gradients)):
        g = g + decay * w if adapts else g
        trust = eta * w.norm() / g.norm() if adapts and w.norm() > 0 and g.norm() > 0 else 1.0
        speeds[i] = momentum * speeds[i] + rate * trust * g
        weights[i] = (w - speeds[i], adapts)


@pytest.mark.parametrize("cells", [1, 20, optimizers.CELLS])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_lars_equals_the_loop(decay, cells, monkeypatch):
    monkeypatch.setattr(optimizers, "CELLS", cells)
    torch.manual_seed(0)
    starts = [(torch.randn(4, 3), True), (torch.zeros(2, 2), True), (torch.randn(5), False), (torch.randn(2, 3, 3), True)]
    parameters = [nn.Parameter(w.clone()) for w, _ in starts]
    groups = [
        {"params": [p for p, (_, a) in zip(parameters, starts) if a], "weight_decay": decay},
        {"params": [p for p, (_, a) in zip(parameters, starts) if not a], "adapt": False},
    ]
    optimizer = LARS(groups, lr=0.5)
    slow, speeds = [(w.double(), a) for w, a in starts], [0.0] * len(starts)
    for step in range(6):
        gradients = [torch.randn_like(p) for p in parameters]
        gradients[3] *= step > 1  # a gradient of zeros at first
        for p, g in zip(parameters, gradients):
            p.grad = g.clone()
        optimizer.step()
        slow_lars(slow, [g.double() for g in gradients], speeds, 0.5, 0.9, decay)
        for p, (w, _) in zip(parameters, slow):
            torch.testing.assert_close(p.detach().double(), w, rtol=1e-5, atol=1e-6)


def wave(n, d, rate):
    """Fixed tensors that need no generator: sin(rate · i)."""
    return torch.from_numpy(np.sin(rate * np.arange(n * d, dtype=np.float64)).reshape(n, d).astype(np.float32))


def test_lars_equals_the_official_code():
    """google-research/simclr@244e712, its lars_optimizer.py run unchanged on TensorFlow 2.21's v1 layer: five steps of this."""
    w, b, z = (nn.Parameter(t) for t in (wave(3, 4, 0.9), wave(1, 4, 0.3)[0].clone(), torch.zeros(2, 2)))
    optimizer = LARS([{"params": [w, z], "weight_decay": 1e-2}, {"params": [b], "adapt": False}], lr=0.3)
    for _ in range(5):
        optimizer.zero_grad()
        loss = (wave(5, 3, 0.4) @ w + b - wave(5, 4, 1.1)).square().mean() + (z - wave(2, 2, 0.5)).square().sum()
        loss.backward()
        optimizer.step()
    official_w = [
        [-0.00031849241349846125, 0.7793243527412415, 0.969758152961731, 0.4268764555454254],
        [-0.4440808892250061, -0.9813882112503052, -0.7754786610603333, 0.017582936212420464],
        [0.7908834218978882, 0.9662808775901794, 0.41080930829048157, -0.455607146024704],
    ]
    official_b = [-0.18304531276226044, 0.038439005613327026, 0.10896284133195877, -0.1500023454427719]
    official_z = [[0.0, 1.177088737487793], [2.0659847259521484, 2.4490561485290527]]
    for found, official in ((w, official_w), (b, official_b), (z, official_z)):
        torch.testing.assert_close(found.detach(), torch.tensor(official), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "lars"])
def test_norms_and_biases_neither_decay_nor_adapt(optimizer):
    groups = named_groups(build(probe(), Recipe(optimizer=optimizer, weight_decay=0.1)))
    decays = {name for name, group in groups.items() if group["weight_decay"] == 0.1}
    assert decays == {"encoder.0.weight", "encoder.3.weight", "head.weight"}
    assert {name for name, group in groups.items() if group["adapt"]} == decays
    assert {group["weight_decay"] for name, group in groups.items() if name not in decays} == {0.0}
    assert not any(name.startswith("frozen") for name in groups)
    assert len(groups) == 9


def test_a_bias_of_many_rows_does_not_decay_either():
    method = probe()
    method.bias = torch.nn.Parameter(torch.zeros(3, 4))
    groups = named_groups(build(method, Recipe(weight_decay=0.1)))
    assert groups["bias"]["weight_decay"] == 0.0 and groups["head.weight"]["weight_decay"] == 0.1


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "lars"])
def test_a_method_s_factors(optimizer):
    factors = {"head": {"lr": 10.0, "weight_decay": 0.5, "momentum": 0.3}, "encoder.3": {"lr": 0.0}, "encoder": {"lr": 0.1}}
    built = build(probe(factors), Recipe(optimizer=optimizer, weight_decay=0.1, momentum=0.8))
    set_rate(built, Recipe(lr=2.0), 0.0)
    groups = named_groups(built)
    rates = {name: group["lr"] for name, group in groups.items()}
    assert rates["head.weight"] == rates["head.bias"] == 20.0
    assert rates["encoder.3.weight"] == 0.0  # the longest prefix counts
    assert rates["encoder.0.weight"] == pytest.approx(0.2) and rates["scale"] == 2.0
    assert groups["head.weight"]["weight_decay"] == 0.5 and groups["head.bias"]["weight_decay"] == 0.0
    inertia = {name: group["betas"][0] if optimizer == "adamw" else group["momentum"] for name, group in groups.items()}
    assert (inertia["head.weight"], inertia["scale"]) == (0.3, 0.8)


def test_a_group_s_own_schedule():
    recipe = Recipe(lr=0.5, epochs=10, warmup=2, final_lr=0.1)
    built = build(probe({"head": {"schedule": "constant", "lr": 2.0}}), recipe)
    for progress, shared, own in ((0.1, 0.25, 0.5), (0.2, 0.5, 1.0), (0.6, 0.275, 1.0), (1.0, 0.05, 1.0)):
        set_rate(built, recipe, progress)
        rates = {name: group["lr"] for name, group in named_groups(built).items()}
        assert rates["head.weight"] == rates["head.bias"] == pytest.approx(own)
        assert rates["encoder.0.weight"] == rates["scale"] == pytest.approx(shared)


def test_an_unknown_schedule_is_named():
    with pytest.raises(TacitError, match="no schedule 'constnt'; did you mean 'constant'"):
        set_rate(build(probe({"head": {"schedule": "constnt"}}), Recipe()), Recipe(), 0.0)


def test_nothing_to_move_is_an_error():
    with pytest.raises(ValueError, match="no parameter that asks for gradient"):
        build(probe().requires_grad_(False), Recipe())


def some_steps(method, optimizer, count, start=0):
    for step in range(start, start + count):
        optimizer.zero_grad(set_to_none=True)
        method.step(torch.randn(5, 2, 4, 4, generator=torch.Generator().manual_seed(step))).backward()
        optimizer.step()


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "lars"])
def test_state_goes_on_as_if_nothing_had_happened(optimizer):
    recipe = Recipe(optimizer=optimizer, lr=0.1, weight_decay=0.01)
    whole = probe()
    state = build(whole, recipe)
    some_steps(whole, state, 2)
    saved = {name: value.contiguous().clone() for name, value in state_by_name(state).items()}
    weights = {name: value.clone() for name, value in whole.state_dict().items()}
    assert all(name.rpartition("/")[0] in dict(whole.named_parameters()) for name in saved)
    some_steps(whole, state, 3, start=2)

    resumed = probe()
    resumed.load_state_dict(weights)
    again = build(resumed, recipe)
    load_by_name(again, saved)
    assert state_by_name(again).keys() == saved.keys()
    some_steps(resumed, again, 3, start=2)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_a_player_without_gradient_stands_still():
    method = probe()
    optimizer = build(method, Recipe(optimizer="lars", lr=0.1, weight_decay=0.1))
    some_steps(method, optimizer, 2)
    before = method.head.weight.clone()
    method.head.requires_grad_(False)
    some_steps(method, optimizer, 1, start=2)
    assert torch.equal(method.head.weight, before)


def test_what_was_renewed_is_forgotten():
    method = probe()
    optimizer = build(method, Recipe(optimizer="sgd", lr=0.1))
    some_steps(method, optimizer, 1)
    forget(optimizer, [method.head])
    names = {name.rpartition("/")[0] for name in state_by_name(optimizer)}
    assert "head.weight" not in names and "encoder.0.weight" in names


@pytest.mark.parametrize(("fused", "device"), [(True, "meta"), (False, "cpu")])
def test_steps_are_counted_where_the_optimiser_wants_them(fused, device):
    """A fused AdamW counts beside the parameter: on a GPU, here the meta device in its place."""
    weight = nn.Parameter(torch.zeros(2, device="meta"))
    optimizer = torch.optim.AdamW([{"params": [weight], "names": ["weight"], "fused": fused}])
    load_by_name(optimizer, {"weight/step": torch.tensor(3.0), "weight/exp_avg": torch.zeros(2)})
    assert optimizer.state[weight]["step"].device.type == device
    assert optimizer.state[weight]["exp_avg"].device.type == "meta"


def test_the_second_beta_is_the_recipe_s():
    assert {group["betas"] for group in build(probe(), Recipe(momentum=0.8, beta2=0.95)).param_groups} == {(0.8, 0.95)}


def test_weight_decay_grows_where_it_is_the_recipe_s():
    recipe = Recipe(weight_decay=0.04, decay_growth=10)
    built = build(probe({"head": {"weight_decay": 0.5}}), recipe)
    for progress, expected in ((0.0, 0.04), (0.5, 0.22), (1.0, 0.4)):
        set_rate(built, recipe, progress)
        groups = named_groups(built)
        assert groups["encoder.0.weight"]["weight_decay"] == pytest.approx(expected)
        assert groups["head.weight"]["weight_decay"] == 0.5 and groups["scale"]["weight_decay"] == 0.0


def test_prefixes_are_whole_words_and_known():
    groups = named_groups(build(probe({"scale": {"lr": 3.0}}), Recipe()))
    assert groups["scale"]["factor"] == 3.0
    with pytest.raises(TacitError, match="no group of parameters 'heat'; did you mean 'head'"):
        build(probe({"heat": {"lr": 3.0}}), Recipe())
    with pytest.raises(TacitError, match="no group of parameters 'sca'"):
        build(probe({"sca": {"lr": 3.0}}), Recipe())
    with pytest.raises(TacitError, match="no part to hold 'encodr'; did you mean 'encoder'"):
        build(probe(), Recipe(hold={"encodr": 1}))
