"""Contexts of what was heard until now."""

import torch
from torch import nn

from tacit.parts.audio.context import CausalContext


def test_no_context_sees_the_future():
    torch.manual_seed(0)
    context = CausalContext(6, 4)
    context.norms = nn.ModuleList(nn.Identity() for _ in range(4))  # whose statistics are of all times, as in the paper
    z = torch.randn(2, 12, 6)
    later = z.clone()
    later[:, 7:] += 1
    before, after = context(z), context(later)
    torch.testing.assert_close(before[:, :7], after[:, :7])
    assert (before[:, 7:] != after[:, 7:]).any(2).all()


def test_one_layer_by_hand():
    torch.manual_seed(0)
    context, z = CausalContext(4, 1), torch.randn(1, 5, 4)
    longer = torch.cat([z[:, :1], z[:, :1], z], 1)
    rows = [longer[0, t : t + 3].T.flatten() @ context.layers[0].weight.flatten(1).T + context.layers[0].bias for t in range(5)]
    plain = torch.stack(rows)
    wanted = torch.relu((plain - plain.mean()) / (plain.var(unbiased=False) + 1e-5).sqrt())
    torch.testing.assert_close(context(z)[0], wanted, atol=1e-5, rtol=1e-5)
