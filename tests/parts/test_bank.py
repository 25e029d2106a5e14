"""The bank's update against a loop, and the length of its rows."""

import pytest
import torch

from tacit.parts.bank import Bank


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_update_equals_the_loop(momentum):
    torch.manual_seed(0)
    bank = Bank(10, 4, momentum)
    before, index, feature = bank.features.clone(), torch.tensor([7, 0, 3]), torch.randn(3, 4) * 5
    bank.update(index, feature)
    for row in range(10):
        if row not in index.tolist():
            assert torch.equal(bank.features[row], before[row])
            continue
        f = feature[index.tolist().index(row)]
        moved = momentum * before[row] + (1 - momentum) * f / f.norm()
        torch.testing.assert_close(bank.features[row], moved / moved.norm())
    torch.testing.assert_close(bank.features[index].norm(dim=1), torch.ones(3))


def test_it_starts_uniform_and_of_unit_length_on_average():
    torch.manual_seed(0)
    features = Bank(4000, 16).features
    assert float(features.abs().max()) <= (3 / 16) ** 0.5
    assert float(features.square().sum(1).mean()) == pytest.approx(1, abs=0.02)
    assert float(features.mean()) == pytest.approx(0, abs=0.01)


def test_no_gradient_reaches_it():
    bank, feature = Bank(4, 3), torch.randn(2, 3, requires_grad=True)
    bank.update(torch.tensor([1, 2]), feature)
    assert not bank.features.requires_grad and list(bank.parameters()) == []
    assert list(bank.state_dict()) == ["features"]
