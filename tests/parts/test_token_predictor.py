"""The predictor of hidden tokens."""

import torch

from tacit.parts.token_predictor import TokenPredictor


def test_an_answer_depends_on_its_place_and_not_on_who_else_is_asked_where():
    torch.manual_seed(0)
    predictor, known = TokenPredictor(6, 8, 2, 2).eval(), torch.randn(3, 4, 6)
    where = torch.tensor([[0, 2, 5, 7]] * 3)
    found = predictor(known, where, torch.tensor([[1, 3], [3, 1], [1, 1]]))
    assert found.shape == (3, 2, 6)
    swapped = predictor(known, where, torch.tensor([[3, 1], [1, 3], [1, 1]]))
    torch.testing.assert_close(found.flip(1), swapped)
    torch.testing.assert_close(found[2, 0], found[2, 1])
    assert not torch.allclose(found[0, 0], found[0, 1])
    order = torch.tensor([3, 1, 0, 2])
    torch.testing.assert_close(predictor(known[:, order], where[:, order], torch.tensor([[1, 3], [3, 1], [1, 1]])), found)
