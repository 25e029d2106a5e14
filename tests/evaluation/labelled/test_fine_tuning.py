"""Fine-tuning: against a loop written apart, and what it must leave alone."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from tacit.errors import TacitError
from tacit.evaluation.labelled import fine_tuning as room
from tacit.evaluation.labelled.fine_tuning import Part, answers, fine_tuned, hits, tuned
from tacit.numerics import counter


def rings(n, seed):
    """Two classes that no linear head on the plain numbers tells apart: inside and outside a circle."""
    x = torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))
    return part(x, (x.norm(dim=1) > 1.18).long() * 3 + 4)  # labels need not be 0 … C−1


def part(x, y):
    return Part(lambda rows: x[torch.from_numpy(rows)], y.numpy())


def encoder(*, norm=False, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(2, 32), nn.BatchNorm1d(32) if norm else nn.Tanh(), nn.ReLU(), nn.Linear(32, 8)).eval()


def all_of(some):
    return np.arange(len(some.labels))


def test_the_encoder_learns_what_its_frozen_answers_do_not_hold():
    frozen = nn.Sequential(nn.Linear(2, 2))  # linear: only training its copy of a deeper one could help, so it stays at chance
    deep, train, test = encoder(), rings(400, 0), rings(200, 1)
    number = fine_tuned(deep, train, test, rates=(1e-3, 1e-2))
    assert number.value > 0.9 and number.low < number.value < number.high
    assert fine_tuned(frozen, train, test).value < 0.7
    told = number.protocol
    assert told["rate"] in told["rates"] and told["train"] == 400 and told["test"] == 200 and told["steps"] == room.STEPS
    assert told["epochs"] == round(room.STEPS / 6, 2)


def test_the_encoder_is_left_as_it_was():
    mine = encoder(norm=True)
    before = {name: value.clone() for name, value in mine.state_dict().items()}
    state = torch.get_rng_state()
    fine_tuned(mine, rings(200, 0), rings(50, 1), steps=5)
    assert all(torch.equal(before[name], value) for name, value in mine.state_dict().items())
    assert not mine.training and all(p.grad is None for p in mine.parameters())
    assert torch.equal(torch.get_rng_state(), state)


def test_the_same_by_its_seed():
    with_dropout = nn.Sequential(encoder(), nn.Dropout(0.5))
    train = rings(200, 0)
    one, two, other = (tuned(with_dropout, train, all_of(train), 1e-2, 10, seed).head.weight for seed in (0, 0, 1))
    assert torch.equal(one, two) and not torch.equal(one, other)


def test_the_test_part_chooses_nothing():
    train, test = rings(200, 0), rings(100, 1)
    turned = test._replace(labels=test.labels[::-1].copy())
    one, two = (fine_tuned(encoder(), train, part, steps=20).protocol for part in (test, turned))
    assert one["rate"] == two["rate"] and one["held_out_accuracy"] == two["held_out_accuracy"]


def test_trains_as_a_loop_written_apart():
    """AdamW by its equations, with decay on matrices alone, warm-up and cosine."""
    train, rate, steps = rings(30, 0), 1e-2, 40
    mine = encoder()
    model = tuned(mine, train, all_of(train), rate, steps, seed=0)
    x, y = train.look(all_of(train)), torch.from_numpy(train.labels == 7).long()
    with torch.no_grad():
        z = mine(x)
    mean, spread = z.mean(0), (z - z.mean(0)).square().mean().sqrt()
    weights = [p.detach().clone().requires_grad_() for p in mine.parameters()]
    weights += [torch.zeros(2, 8, requires_grad=True), torch.zeros(2, requires_grad=True)]
    first, second = ([torch.zeros_like(w) for w in weights] for _ in range(2))
    for step in range(steps):
        a, b, c, d, head, bias = weights
        order = counter.permutation(counter.key(0, "fine-tuning order", step), 30)
        hidden = torch.relu(torch.tanh(x[order] @ a.T + b)) @ c.T + d
        loss = cross_entropy(((hidden - mean) / spread) @ head.T + bias, y[order])
        now = rate * ((step + 1) / 2 if step < 2 else (1 + math.cos(math.pi * (step - 2) / 38)) / 2)
        for w, g, m, v in zip(weights, torch.autograd.grad(loss, weights), first, second):
            with torch.no_grad():
                w.mul_(1 - now * (0.05 if w.ndim > 1 else 0.0))
                m.mul_(0.9).add_(0.1 * g)
                v.mul_(0.999).add_(0.001 * g * g)
                w.sub_(now * (m / (1 - 0.9 ** (step + 1))) / ((v / (1 - 0.999 ** (step + 1))).sqrt() + 1e-8))
    for theirs, own in zip(weights, model.parameters()):
        torch.testing.assert_close(own, theirs, atol=2e-4, rtol=2e-3)


@pytest.mark.parametrize(("n", "moved"), [(63, False), (64, True)])
def test_few_samples_do_not_replace_the_statistics_of_batch_norm(n, moved):
    train = rings(n, 0)
    model = tuned(encoder(norm=True), train, all_of(train), 1e-3, 3, seed=0)
    assert bool(model.encoder[1].running_mean.any()) == moved and not model.training


def test_the_scale_of_the_answers_changes_nothing():
    train, mine = rings(60, 0), encoder()
    larger = encoder()
    with torch.no_grad():
        larger[3].weight.mul_(1024)
        larger[3].bias.mul_(1024).add_(4096)
    first, second = (tuned(e, train, all_of(train), 1e-4, 1, 0).head.weight for e in (mine, larger))
    torch.testing.assert_close(first, second, atol=1e-7, rtol=1e-2)


def test_a_class_that_was_never_trained_is_an_error():
    train, test = rings(100, 0), rings(50, 1)
    unseen = test._replace(labels=np.full(50, 99))
    assert fine_tuned(encoder(), train, unseen, steps=3).value == 0.0
    model = tuned(encoder(), train, np.array([0, 1]), 1e-3, 2, 0)
    assert model.classes.tolist() == [4, 7] and 0 <= hits(model, test, all_of(test)) <= 50


def test_equal_answers_and_too_few():
    flat = part(torch.zeros(40, 2), torch.arange(40) % 2)
    assert fine_tuned(encoder(), flat, flat, steps=3).value == 0.5
    few = rings(6, 0)
    number = fine_tuned(encoder(), few, few)
    assert math.isnan(number.value) and "6 train samples are too few" in number.why


def test_what_cannot_be_tuned_is_named():
    train = rings(40, 0)
    with pytest.raises(TacitError, match="no rate"):
        fine_tuned(encoder(), train, train, rates=())
    with pytest.raises(TacitError, match="steps is 0"):
        fine_tuned(encoder(), train, train, steps=0)
    with pytest.raises(TacitError, match="one row for each"):
        answers(nn.Unflatten(1, (1, 2)), train, all_of(train))


def test_only_what_may_learn_does():
    mine, train = encoder(), rings(100, 0)
    mine[0].requires_grad_(False)
    model = tuned(mine, train, all_of(train), 1e-2, 5, 0)
    assert torch.equal(model.encoder[0].weight, mine[0].weight) and not torch.equal(model.encoder[3].weight, mine[3].weight)
