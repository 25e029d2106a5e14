"""Views that come in two types, as from a network in bfloat16 and a teacher in float32: each gets its gradient in its own."""

from functools import partial

import pytest
import torch

from tacit.objectives.cross_correlation import cross_correlation
from tacit.objectives.dcl import dcl
from tacit.objectives.dual.matched import matched
from tacit.objectives.info_nce import info_nce
from tacit.objectives.nt_xent import nt_xent
from tacit.objectives.supcon import supcon

UNLIKE = [(torch.bfloat16, torch.float32), (torch.float32, torch.bfloat16), (torch.float16, torch.float64)]
OBJECTIVES = {
    "nt_xent": partial(nt_xent, temperature=0.5),
    "dcl": partial(dcl, temperature=0.5, sigma=0.5),
    "info_nce": lambda first, second: info_nce(first, second, second.flip(1), temperature=0.2),
    "supcon": lambda first, second: supcon(first, second, torch.arange(len(first)) % 5, temperature=0.5),
    "matched": lambda first, second: sum(matched(first, second, torch.tensor(5.0), 0.0)),
    "cross_correlation": partial(cross_correlation, off_diagonal=0.005),
}


@pytest.mark.parametrize("n", [40, 1100], ids=["one tile", "several"])
@pytest.mark.parametrize("types", UNLIKE, ids=str)
@pytest.mark.parametrize("name", OBJECTIVES)
def test_types_may_differ(name, types, n):
    """By the values of the same numbers in float64, which the narrower type has rounded already."""
    generator = torch.Generator().manual_seed(n)
    drawn = (torch.nn.functional.normalize(torch.randn(n, 16, generator=generator), dim=1) for _ in types)
    views = [view.to(kind).requires_grad_() for view, kind in zip(drawn, types)]
    exact = [view.detach().double().requires_grad_() for view in views]
    loss, expected = (OBJECTIVES[name](*pair) for pair in (views, exact))
    loss.backward()
    expected.backward()
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=3e-3)
    for view, kind, one in zip(views, types, exact):
        assert view.grad.dtype == kind
        assert (view.grad.double() - one.grad).norm() < 0.02 * one.grad.norm()
