"""The tiled contrast of nodes is the contrast of views, in value and gradient."""

import torch

from tacit.objectives import node_contrast as tiled
from tacit.objectives.node_contrast import node_contrast
from tacit.objectives.nt_xent import nt_xent


def test_it_is_nt_xent(monkeypatch):
    monkeypatch.setattr(tiled, "TILE", 7)
    for temperature in (0.02, 0.4):
        found = []
        for objective in (nt_xent, node_contrast):
            torch.manual_seed(0)
            views = [torch.randn(20, 5, requires_grad=True) for _ in range(2)]
            loss = objective(*views, temperature)
            (3 * loss).backward()
            found.append((loss.detach(), *(view.grad for view in views)))
        for one, other in zip(*found):
            assert torch.allclose(one, other, rtol=1e-5, atol=1e-6)


def test_it_is_the_equation_of_the_paper():
    torch.manual_seed(1)
    u, v = (torch.nn.functional.normalize(torch.randn(6, 4)) for _ in range(2))
    t = 0.5

    def one(a, b, i):
        between = sum(torch.exp(a[i] @ b[k] / t) for k in range(6))
        within = sum(torch.exp(a[i] @ a[k] / t) for k in range(6) if k != i)
        return -torch.log(torch.exp(a[i] @ b[i] / t) / (between + within))

    wanted = sum(one(u, v, i) + one(v, u, i) for i in range(6)) / 12
    assert torch.allclose(node_contrast(u, v, t), wanted, atol=1e-6)
