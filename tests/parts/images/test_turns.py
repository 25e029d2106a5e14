import torch

from tacit.parts.images.turns import turned, turns
from tests.methods.fixed import sine


def test_all_four_ways_up_one_after_another():
    x = sine(3, 1, 5, 5, rate=0.7)
    found, which = turns(x)
    assert which.tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    assert all(torch.equal(one, x[i % 3].rot90(int(quarters), (1, 2))) for i, (one, quarters) in enumerate(zip(found, which)))


def test_each_picture_is_turned_by_its_own_quarters():
    x, which = sine(4, 1, 5, 5, rate=0.7), torch.tensor([0, 3, 1, 2])
    found = turned(x, which)
    assert all(torch.equal(found[i], x[i].rot90(int(which[i]), (1, 2))) for i in range(4))
