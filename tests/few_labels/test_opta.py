"""OpTA against stypoumic/BECLR@8b33581, whose OpTA (utils/optimal_transport.py) gave these numbers on these tensors."""

import pytest
import torch

from tacit.errors import TacitError
from tacit.few_labels.opta import opta, standardised
from tests.methods.fixed import D, wave

ONE = [
    [0.44986, 0.8761, 0.63932, -0.08128, -0.74037, -0.83916],
    [0.33104, -0.299, -0.70276, -0.57469, -0.01171, 0.56014],
    [-0.5001, -0.00703, 0.49135, 0.61789, 0.27683, -0.27374],
]
FIVE = [0.57227, 0.91412, 0.56419, -0.21272, -0.82864, -0.81746]


def test_one_pass_and_five_are_the_official():
    prototypes, queries = wave(3, D, turn=0.5), wave(9, D, turn=0.9)
    torch.testing.assert_close(opta(prototypes, queries, passes=1), torch.tensor(ONE), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(opta(prototypes, queries)[0], torch.tensor(FIVE), rtol=1e-3, atol=1e-3)


def test_a_prototype_far_from_its_queries_is_moved_among_them():
    drawn = torch.Generator().manual_seed(0)
    centres = 4 * torch.eye(3)
    queries = (centres[:, None] + 0.1 * torch.randn(3, 10, 3, generator=drawn)).flatten(0, 1)
    moved = opta(centres + torch.tensor([0.0, 0.0, 1.5]), queries)
    torch.testing.assert_close(moved, queries.view(3, 10, 3).mean(1), rtol=0, atol=0.05)


def test_rows_are_standardised():
    rows = standardised(wave(4, 7, turn=0.6) * 3 + 2)
    torch.testing.assert_close(rows.mean(1), torch.zeros(4), rtol=0, atol=1e-6)
    torch.testing.assert_close(rows.std(1), torch.ones(4))
    assert standardised(torch.ones(2, 3)).isfinite().all()


@pytest.mark.parametrize("wrong", [{"passes": 0}, {"epsilon": 0.0}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        opta(torch.ones(2, 3), torch.ones(4, 3), **wrong)


def test_other_widths_are_refused():
    with pytest.raises(TacitError, match="3 numbers and queries 4"):
        opta(torch.ones(2, 3), torch.ones(4, 4))
