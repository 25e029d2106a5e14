"""Averaged weights by the formula."""

import torch
from torch import nn

from tacit.method import Method
from tacit.training.averaging import Average


class Probe(Method):
    """A weight that moves and one that does not."""

    def __init__(self):
        super().__init__(nn.Linear(2, 2))
        self.still = nn.Linear(2, 2).requires_grad_(False)


def moves(method, steps, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        with torch.no_grad():
            method.encoder.weight.add_(torch.randn(2, 2, generator=generator))
        yield method.encoder.weight.detach().clone()


def test_it_is_the_exponential_moving_average():
    method = Probe()
    average, expected = Average(method, 0.9), method.encoder.weight.detach().clone()
    for weight in moves(method, 5):
        average.update()
        expected = 0.9 * expected + 0.1 * weight
    torch.testing.assert_close(average.weights["encoder.weight"], expected)
    assert sorted(average.weights) == ["encoder.bias", "encoder.weight"]
    average.into_method()
    torch.testing.assert_close(method.encoder.weight.detach(), expected)


def test_a_decay_of_nothing_keeps_the_last():
    method = Probe()
    average = Average(method, 0.0)
    *_, last = moves(method, 3)
    average.update()
    average.into_method()
    assert average.weights == {} and torch.equal(method.encoder.weight, last)


def test_it_goes_on_from_what_was_saved():
    method = Probe()
    average = Average(method, 0.5)
    for _ in moves(method, 2):
        average.update()
    again = Average(method, 0.5)
    again.load({name: value.clone() for name, value in average.weights.items()})
    for _ in moves(method, 1, seed=1):
        average.update()
        again.update()
    assert all(torch.equal(again.weights[name], value) for name, value in average.weights.items())


class Normed(Method):
    """A norm that is trained and one that somebody else moves."""

    def __init__(self):
        super().__init__(nn.BatchNorm1d(3))
        self.teacher = nn.BatchNorm1d(3).requires_grad_(False)


def test_statistics_of_trained_norms_are_averaged_and_go_on_after_a_restart():
    method, generator = Normed(), torch.Generator().manual_seed(0)
    average, expected = Average(method, 0.5), method.encoder.running_mean.clone()
    for _ in range(4):
        method.teacher(method.encoder(torch.randn(8, 3, generator=generator) + 2))
        again = Average(method, 0.5)
        again.load({name: value.clone() for name, value in average.weights.items()})
        average = again
        average.update()
        expected = 0.5 * expected + 0.5 * method.encoder.running_mean
    teacher = method.teacher.running_mean.clone()
    average.into_method()
    torch.testing.assert_close(method.encoder.running_mean, expected)
    assert torch.equal(method.teacher.running_mean, teacher)
