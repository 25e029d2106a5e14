"""The losses of D-SLA against naive loops, by hand, and their gradients."""

import pytest
import torch

from tacit.numerics.tiling import few_rows
from tacit.objectives.discrepancy import copies_within_others, edit_proportion


def test_edits_by_value_and_gradient():
    torch.manual_seed(0)
    z, e = torch.randn(6, 5, 3, dtype=torch.double), torch.randint(1, 9, (6, 5)).double()
    wanted = []
    for sample, distance in zip(z, e):
        ratios = [float((sample[i] - sample[0]).norm() / distance[i]) for i in range(1, 5)]
        wanted += [(ratios[i] - ratios[j]) ** 2 for i in range(4) for j in range(i + 1, 4)]
    assert float(edit_proportion(z, e)) == pytest.approx(sum(wanted) / len(wanted), rel=1e-5)
    line = torch.arange(4.0)[None, :, None] * torch.tensor([3.0, 4.0])
    assert float(edit_proportion(line, torch.tensor([[0.0, 2, 4, 6]]))) == pytest.approx(0, abs=1e-10)
    assert float(edit_proportion(line, torch.tensor([[0.0, 5, 5, 5]]))) == pytest.approx(2.0)  # ratios 1, 2, 3


def test_copies_without_edits_do_not_count():
    z = torch.randn(2, 4, 3)
    e = torch.tensor([[0.0, 1, 2, 3], [0, 0, 0, 0]])
    assert edit_proportion(z, e).isclose(edit_proportion(z[:1], e[:1])) and edit_proportion(z[1:], e[1:]) == 0


@pytest.mark.parametrize("cells", [1, 25, few_rows.CELLS])
def test_margin_by_value(monkeypatch, cells):
    monkeypatch.setattr(few_rows, "CELLS", cells)
    torch.manual_seed(1)
    original, copies = torch.randn(5, 3), torch.randn(5, 2, 3)
    wanted = [
        max(0.0, 1.5 + float((copies[a, k] - original[a]).norm() - (original[a] - original[b]).norm()))
        for a in range(5)
        for k in range(2)
        for b in range(5)
        if a != b
    ]
    assert float(copies_within_others(original, copies, 1.5)) == pytest.approx(sum(wanted) / len(wanted), rel=1e-5)


@pytest.mark.parametrize("cells", [1, few_rows.CELLS])
def test_gradients_hold(monkeypatch, cells):
    monkeypatch.setattr(few_rows, "CELLS", cells)
    monkeypatch.setattr(torch.Tensor, "float", lambda self: self.double())
    torch.manual_seed(2)
    z, e = torch.randn(3, 4, 2, dtype=torch.double, requires_grad=True), torch.tensor([[0.0, 1, 2, 3]] * 3)
    assert torch.autograd.gradcheck(lambda z: edit_proportion(z, e), z)
    assert torch.autograd.gradcheck(lambda z: copies_within_others(z[:, 0], z[:, 1:], 2.0), z)


def test_equal_embeddings_have_finite_gradients():
    z = torch.zeros(3, 4, 2, requires_grad=True)
    (edit_proportion(z, torch.tensor([[0.0, 1, 2, 3]] * 3)) + copies_within_others(z[:, 0], z[:, 1:], 2.0)).backward()
    assert z.grad.isfinite().all()
