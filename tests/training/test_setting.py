"""What method and recipe cannot do together is said before anything is trained."""

import pytest

from tacit.check import VECTORS, Case
from tacit.errors import TacitError
from tacit.methods import find
from tests.contracts.toys import but


@pytest.mark.parametrize(("key", "recipe"), [("byol", {"batch": 1}), ("simsiam", {"batch": 4, "accumulate": 4})])
def test_batch_norms_need_two_rows(key, recipe):
    case = Case(find(key), but(VECTORS, dim=8, hidden=8), **recipe)
    with pytest.raises(TacitError, match=r" normalises over a batch and got .* of 1; give --batch [28] or more\.$"):
        case.train(steps=1)


def test_without_norms_a_batch_may_be_one_row():
    Case(find("npid"), but(VECTORS, depth=0, negatives=0), batch=1).train(steps=1)
    Case(find("byol"), but(VECTORS, dim=8, hidden=8), batch=2).train(steps=1)
