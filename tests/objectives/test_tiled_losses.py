"""Losses of many views, in tiles, are those of few, which hold all products: value, gradient, and one process against two."""

import pytest
import torch

from tacit.numerics import tiles
from tacit.numerics.processes import rank, size
from tacit.objectives.dcl import dcl
from tacit.objectives.nt_xent import nt_xent
from tacit.objectives.supcon import supcon

LABELS = torch.tensor([0, 1, 0, 2, 2, 5, 0, 1, 1, 7])


def by_class(first, second, temperature):
    return supcon(first, second, LABELS[: len(first)] if len(first) == 10 else LABELS.chunk(2)[rank()], temperature)


def weighed(first, second, temperature):
    return dcl(first, second, temperature, sigma=0.5)


LOSSES = [nt_xent, dcl, weighed, by_class]


def views(seed=0):
    generator = torch.Generator().manual_seed(seed)
    first = torch.randn(10, 6, generator=generator)
    first[3] = first[7]  # duplicates
    return first, first + torch.randn(10, 6, generator=generator)


@pytest.mark.parametrize("temperature", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("loss", LOSSES)
def test_tiles_are_the_whole(monkeypatch, loss, temperature):
    found = []
    for plain in (tiles.PLAIN, 0):
        for module in ("nt_xent", "dcl", "supcon"):
            monkeypatch.setattr(f"tacit.objectives.{module}.PLAIN", plain)
        monkeypatch.setattr(tiles, "TILE", 7)
        ours = [view.requires_grad_() for view in views()]
        value = loss(*ours, temperature)
        (3 * value).backward()
        found.append((value.detach(), *(view.grad for view in ours)))
    for whole, tiled in zip(*found):
        torch.testing.assert_close(tiled, whole, rtol=1e-4, atol=1e-5 / temperature)


def half(place):
    """The loss and the gradients of this process's half of the samples, through a weight that processes share."""
    from tacit.objectives import dcl as second_module
    from tacit.objectives import nt_xent as first_module
    from tacit.objectives import supcon as third_module

    first_module.PLAIN = second_module.PLAIN = third_module.PLAIN = 0
    tiles.TILE = 7
    mine = [view.chunk(size())[rank()] for view in views()]
    weight = torch.eye(6).requires_grad_()
    loss = LOSSES[place](*(view @ weight for view in mine), 0.1)
    loss.backward()
    return float(loss.detach()), weight.grad.tolist()


@pytest.mark.parametrize("place", range(len(LOSSES)))
def test_two_processes_equal_one(pair, monkeypatch, place):
    for module in ("nt_xent", "dcl", "supcon"):
        monkeypatch.setattr(f"tacit.objectives.{module}.PLAIN", 0)
    monkeypatch.setattr(tiles, "TILE", 7)
    loss, gradient = half(place)
    found = pair.run(half, place)
    assert sum(value for value, _ in found) / 2 == pytest.approx(loss, rel=1e-5)
    averaged = sum(torch.tensor(grad) for _, grad in found) / 2
    torch.testing.assert_close(averaged, torch.tensor(gradient), rtol=1e-4, atol=1e-5)


def test_one_of_all_nodes_is_the_equation_of_grace():
    """Zhu et al. 2020 (arXiv:2006.04131), equations 1 and 2, term by term."""
    torch.manual_seed(1)
    u, v = (torch.nn.functional.normalize(torch.randn(6, 4)) for _ in range(2))
    t = 0.5

    def one(a, b, i):
        between = sum(torch.exp(a[i] @ b[k] / t) for k in range(6))
        within = sum(torch.exp(a[i] @ a[k] / t) for k in range(6) if k != i)
        return -torch.log(torch.exp(a[i] @ b[i] / t) / (between + within))

    wanted = sum(one(u, v, i) + one(v, u, i) for i in range(6)) / 12
    torch.testing.assert_close(nt_xent(u, v, t), wanted)
