"""Prototypes: cosines, and back on the sphere after any step."""

import torch

from tacit.numerics.exact import unit
from tacit.parts.prototypes import Prototypes


def test_scores_are_cosines_of_any_number_of_axes():
    torch.manual_seed(0)
    prototypes, z = Prototypes(4, 6), torch.randn(3, 5, 4) * 7
    scores = prototypes(z)
    assert scores.shape == (3, 5, 6)
    expected = torch.nn.functional.cosine_similarity(z[:, :, None], prototypes.directions.weight, dim=-1)
    torch.testing.assert_close(scores, expected)


def test_rows_have_length_one_from_the_start_and_after_a_step():
    torch.manual_seed(0)
    prototypes = Prototypes(4, 6)
    torch.testing.assert_close(prototypes.directions.weight.norm(dim=1), torch.ones(6))
    optimizer = torch.optim.SGD(prototypes.parameters(), lr=3.0, weight_decay=0.1)
    prototypes(torch.randn(8, 4)).square().sum().backward()
    optimizer.step()
    moved = prototypes.directions.weight.detach().clone()
    assert ((moved.norm(dim=1) - 1).abs() > 0.1).all()
    prototypes.normalise()
    torch.testing.assert_close(prototypes.directions.weight, moved / moved.norm(dim=1, keepdim=True))
    assert [name for name, _ in prototypes.named_parameters()] == ["directions.weight"] and prototypes.directions.bias is None


def test_weight_decay_alone_moves_nothing():
    torch.manual_seed(0)
    prototypes = Prototypes(4, 6)
    before = prototypes.directions.weight.detach().clone()
    prototypes.directions.weight.grad = torch.zeros(6, 4)
    torch.optim.SGD(prototypes.parameters(), lr=0.5, weight_decay=0.5).step()
    prototypes.normalise()
    torch.testing.assert_close(prototypes.directions.weight.detach(), before)


def test_full_precision_within_autocast():
    prototypes, z = Prototypes(4, 6), torch.randn(3, 4)
    with torch.autocast("cpu", torch.bfloat16):
        scores = prototypes(z)
    assert scores.dtype == torch.float32 and torch.equal(scores, prototypes(z))


def test_averaged_weights_give_cosines_too():
    """They are shorter than one, and are what is saved."""
    torch.manual_seed(0)
    prototypes, z = Prototypes(4, 6), torch.randn(3, 4)
    scores = prototypes(z)
    with torch.no_grad():
        prototypes.directions.weight *= torch.rand(6, 1) + 0.1
    torch.testing.assert_close(prototypes.eval()(z), scores)


def test_the_gradient_of_training_is_that_of_plain_products():
    """The released code normalises outside of the graph: what pulls along a direction reaches the optimiser too."""
    torch.manual_seed(0)
    prototypes, z = Prototypes(4, 6), torch.randn(3, 4)
    weight = prototypes.directions.weight
    (unit(z) @ weight.T).square().sum().backward()
    plain, weight.grad = weight.grad, None
    prototypes(z).square().sum().backward()
    assert torch.equal(weight.grad, plain)
