"""What was hidden, told: by value and by gradient."""

import torch

from tacit.objectives.text.hidden_tokens import hidden_tokens


def test_value_and_gradient():
    torch.manual_seed(0)
    told, table, bias = (torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in ((5, 3), (7, 3), (7,)))
    which = torch.tensor([0, 6, 3, 3, 2])
    naive = sum(-(row @ table.T + bias).softmax(0)[w].log() for row, w in zip(told, which)) / 5
    assert torch.allclose(hidden_tokens(told, table, bias, which).double(), naive, atol=1e-5)
    wanted = torch.autograd.grad(naive, (told, table, bias))
    for got, want in zip(torch.autograd.grad(hidden_tokens(told, table, bias, which), (told, table, bias)), wanted):
        assert torch.allclose(got, want, atol=1e-5)


def test_nothing_hidden_is_no_loss():
    assert float(hidden_tokens(torch.randn(0, 3), torch.randn(7, 3), torch.zeros(7), torch.empty(0, dtype=torch.int64))) == 0
