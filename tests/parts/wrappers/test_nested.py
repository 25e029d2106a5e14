"""An encoder that is cut: what is behind it, how often it is asked, and what is refused."""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.parts.wrappers.nested import Nested


class Counting(nn.Module):
    """Doubles, and counts how often."""

    dim = 6

    def __init__(self):
        super().__init__()
        self.asked = 0

    def forward(self, x):
        self.asked += 1
        return 2 * x


def test_each_size_sees_its_prefix_at_the_cost_of_one_pass():
    nested, x, y = Nested(Counting()), torch.randn(3, 6), torch.randn(4, 6)
    found = nested.again(lambda: (nested(x), nested(y)), (1, 4, 6))
    assert nested.whole.asked == 2
    for size, (first, second) in zip((1, 4, 6), found):
        for answer, given in ((first, x), (second, y)):
            assert answer.shape == given.shape and not answer[:, size:].any()
            assert answer[:, :size].equal(2 * given[:, :size])
    nested.again(lambda: nested(x), (6,))
    assert nested.whole.asked == 3  # nothing of an earlier batch is kept


def test_the_same_input_twice_is_two_calls():
    """SimCSE's views differ by the encoder's dropout alone."""
    nested, x = Nested(Counting()), torch.randn(3, 6)
    nested.again(lambda: (nested(x), nested(x)), (3, 6))
    assert nested.whole.asked == 2


def test_a_step_that_asks_another_encoder_is_refused():
    with pytest.raises(TacitError, match="does not ask"):
        Nested(Counting()).again(lambda: 0.0, (3, 6))
