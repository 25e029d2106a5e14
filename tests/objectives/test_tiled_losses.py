"""Losses of many views, in tiles, are those of few, which hold all products: value, gradient, and one process against two."""

import pytest
import torch

from tacit.numerics import tiles
from tacit.numerics.processes import rank, size
from tacit.numerics.tiling import ring
from tacit.objectives.dcl import dcl
from tacit.objectives.nt_xent import nt_xent
from tacit.objectives.supcon import supcon

LABELS = torch.tensor([0, 1, 0, 2, 2, 5, 0, 1, 1, 7])


def by_class(first, second, temperature):
    n = len(first)
    return supcon(first, second, LABELS[rank() * n : (rank() + 1) * n], temperature)


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


def exactly(first, second, temperature):
    """NT-Xent as log(1 + Σ exp(others − own)), in float64."""
    z = torch.nn.functional.normalize(torch.cat([first, second]).double())
    near, n = z @ z.T / temperature, len(first)
    own = near.diagonal(n).repeat(2)
    family = torch.eye(2 * n).bool() | torch.eye(n).repeat(2, 2).bool()
    return torch.nn.functional.softplus(near.masked_fill(family, -torch.inf).logsumexp(1) - own).mean()


@pytest.mark.parametrize(
    ("kind", "temperature", "loss_off", "gradient_off"),
    [(torch.float32, t, 1e-5, 1e-4) for t in (0.01, 0.03, 0.1)] + [(torch.bfloat16, t, 1e-3, 1e-3) for t in (0.01, 0.03, 0.1)],
)
def test_a_small_loss_keeps_its_digits(monkeypatch, kind, temperature, loss_off, gradient_off):
    """Partners that are found: log-sum-exp and own product are nearly equal, and what is left of them is the loss."""
    monkeypatch.setattr("tacit.objectives.nt_xent.PLAIN", 0)
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(1000, 128, generator=generator)
    second = first + 0.7 * torch.randn(1000, 128, generator=generator)
    ours = [view.to(kind).requires_grad_() for view in (first, second)]
    true = [view.detach().double().requires_grad_() for view in ours]
    found, wanted = nt_xent(*ours, temperature), exactly(*true, temperature)
    found.backward(), wanted.backward()
    assert float(wanted.detach()) < 1 and float(found.detach()) == pytest.approx(float(wanted.detach()), rel=loss_off)
    for mine, right in zip(ours, true):
        rounding = float((right.grad.to(kind).double() - right.grad).norm())  # of what is handed back in the views' own type
        assert float((mine.grad.double() - right.grad).norm()) < rounding + gradient_off * float(right.grad.norm())


def share(place, n, gathered):
    """The loss and the gradients of this process's share of n samples, through a weight that processes share."""
    from tacit.objectives import dcl as second_module
    from tacit.objectives import nt_xent as first_module
    from tacit.objectives import supcon as third_module

    first_module.PLAIN = second_module.PLAIN = third_module.PLAIN = 0
    ring.GATHERED = gathered
    tiles.TILE = 7
    mine = [view[:n].chunk(size())[rank()] for view in views()]
    weight = torch.eye(6).requires_grad_()
    loss = LOSSES[place](*(view @ weight for view in mine), 0.1)
    loss.backward()
    return float(loss.detach()), weight.grad.tolist()


@pytest.mark.parametrize("gathered", [0, ring.GATHERED], ids=["by a ring", "gathered"])
@pytest.mark.parametrize("place", range(len(LOSSES)))
def test_several_processes_equal_one(pair, trio, monkeypatch, place, gathered):
    """Two of five samples each, three of three each."""
    for module in ("nt_xent", "dcl", "supcon"):
        monkeypatch.setattr(f"tacit.objectives.{module}.PLAIN", 0)
    monkeypatch.setattr(tiles, "TILE", 7)
    for processes, n in ((pair, 10), (trio, 9)):
        loss, gradient = share(place, n, gathered)
        found = processes.run(share, place, n, gathered)
        assert sum(value for value, _ in found) / len(found) == pytest.approx(loss, rel=1e-5)
        averaged = sum(torch.tensor(grad) for _, grad in found) / len(found)
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
