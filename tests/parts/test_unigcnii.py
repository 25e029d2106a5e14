"""UniGCNII against its definition, node by node."""

import math

import pytest
import torch

from tacit.parts.unigcnii import UniGCNII

EDGES = [[0, 1, 2], [2, 3], [4], [0, 3]]  # node 5 is in none
MEMBERS = torch.tensor([node for edge in EDGES for node in edge])
PLACES = torch.tensor([place for place, edge in enumerate(EDGES) for _ in edge])


def by_hand(net: UniGCNII, x: torch.Tensor) -> torch.Tensor:
    degree = [sum(node in edge for edge in EDGES) for node in range(6)]
    x = start = (x @ net.first.weight.T + net.first.bias).relu()
    for number, linear in enumerate(net.rounds, 1):
        rows = []
        for node in range(6):
            heard = torch.zeros_like(x[0])
            for edge in EDGES:
                if node in edge:
                    mean = sum(degree[other] for other in edge) / len(edge)
                    heard = heard + x[edge].mean(0) / math.sqrt(mean)
            rows.append(heard / math.sqrt(degree[node]) if degree[node] else x[node])
        beta = math.log(0.5 / number + 1)
        mixed = 0.9 * torch.stack(rows) + 0.1 * start
        x = (1 - beta) * mixed + beta * mixed @ linear.weight.T
        x = x if number == len(net.rounds) else x.relu()
    return x


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_equals_the_definition_and_so_does_its_gradient(depth):
    torch.manual_seed(0)
    net, x = UniGCNII(7, 5, depth, dropout=0.0), torch.randn(6, 7).relu()
    weights = torch.randn(6, 5)
    gradients = []
    for answer in (
        by_hand(net, x),
        net(x, MEMBERS, PLACES, 4, torch.arange(6)),
        net(x.to_sparse_csr(), MEMBERS, PLACES, 4, torch.arange(6)),
    ):
        torch.testing.assert_close(answer, by_hand(net, x))
        gradients.append(torch.autograd.grad((answer * weights).sum(), list(net.parameters())))
    for expected, dense, sparse in zip(*gradients):
        torch.testing.assert_close(dense, expected)
        torch.testing.assert_close(sparse, expected)


def test_rows_are_those_that_were_asked_for():
    net, x, rows = UniGCNII(7, 5, 2, dropout=0.5).eval(), torch.randn(6, 7), torch.tensor([4, 0, 4])
    torch.testing.assert_close(net(x, MEMBERS, PLACES, 4, rows), net(x, MEMBERS, PLACES, 4, torch.arange(6))[rows])


def test_survives_autocast_with_sparse_features():
    net, x = UniGCNII(7, 5, 2, dropout=0.0), torch.randn(6, 7).relu()
    with torch.autocast("cpu", torch.bfloat16):
        low = net(x.to_sparse_csr(), MEMBERS, PLACES, 4, torch.arange(6))
    torch.testing.assert_close(low, net(x, MEMBERS, PLACES, 4, torch.arange(6)), atol=0.05, rtol=0.05)
