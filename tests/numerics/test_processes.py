"""The one place where processes meet: the identity on one, and on two the values and gradients of one."""

import pytest
import torch

from tacit.numerics import processes
from tacit.numerics.processes import gather, mean, rank, size, total

CLOSE = {"rtol": 1e-6, "atol": 1e-9}


def setting():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(8, 3, generator=generator).double(), torch.randn(3, 3, generator=generator).double()


def mine(x):
    """This process's rows."""
    return x.chunk(size())[rank()].clone().requires_grad_()


def test_one_process_is_the_identity():
    x = torch.randn(3, 2)
    assert (size(), rank()) == (1, 0)
    assert gather(x) is x and total(x) is x
    assert torch.equal(mean(x), x)
    assert processes.mine(3, x.device).tolist() == [0, 1, 2]


def found_again():
    own = setting()[0].chunk(size())[rank()]
    return torch.equal(gather(own)[processes.mine(len(own), own.device)], own)


def test_a_process_finds_its_rows_among_all(pair):
    assert all(pair.run(found_again))


def values():
    x, _ = setting()
    own = x.chunk(size())[rank()]
    return [found.tolist() for found in (gather(own), total(own), mean(own), gather(own.T.contiguous().T), total(own.sum()))]


def test_values(pair):
    x, _ = setting()
    summed = x[:4] + x[4:]
    for found in pair.run(values):
        for value, expected in zip(found, (x, summed, summed / 2, x, x.sum())):
            torch.testing.assert_close(torch.tensor(value, dtype=torch.float64), expected, **CLOSE)


def gathered_loss(x, weight):
    """Each row against the rows of all processes."""
    z = x @ weight
    return torch.logsumexp(z @ gather(z).T, 1).mean()


def totalled_loss(x, weight):
    """Of statistics over all rows: alike on every process."""
    z = x @ weight
    average = total(z.sum(0)) / (len(z) * size())
    return (total((z - average).square().sum(0)) / (len(z) * size()) - 1).square().sum() + mean(z.mean()) ** 3


def gradients(name):
    x, weight = setting()
    own, weight = mine(x), weight.requires_grad_()
    loss = globals()[name](own, weight)
    loss.backward()
    return loss.item(), weight.grad.tolist(), (own.grad / size()).tolist()  # of the mean over processes


@pytest.mark.parametrize("name", ["gathered_loss", "totalled_loss"])
def test_losses_and_averaged_gradients_equal_one_process(name, pair):
    compare(gradients(name), pair.run(gradients, name))


def penalty(name):
    """The length of a gradient as a loss, as a gradient penalty has it."""
    x, weight = setting()
    own, weight = mine(x), weight.requires_grad_()
    (inner,) = torch.autograd.grad(globals()[name](own, weight), own, create_graph=True)
    rows = inner / size() * (len(own) * size())  # of the mean over processes, times the number of rows
    loss = rows.square().sum(1).mean()
    loss.backward()
    return loss.item(), weight.grad.tolist(), (own.grad / size()).tolist()


@pytest.mark.parametrize("name", ["gathered_loss", "totalled_loss"])
def test_differentiated_twice_they_equal_one_process(name, pair):
    compare(penalty(name), pair.run(penalty, name))


def compare(one, two):
    loss, weight, rows = one
    assert sum(found[0] for found in two) / 2 == pytest.approx(loss, rel=1e-6)
    averaged = sum(torch.tensor(found[1], dtype=torch.float64) for found in two) / 2
    torch.testing.assert_close(averaged, torch.tensor(weight, dtype=torch.float64), **CLOSE)
    joined = torch.tensor([row for found in two for row in found[2]], dtype=torch.float64)
    torch.testing.assert_close(joined, torch.tensor(rows, dtype=torch.float64), **CLOSE)
