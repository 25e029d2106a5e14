"""SimSiam against facebookresearch/simsiam@a7bc177: the numbers are what its builder and loss gave on these tensors."""

import pytest
import torch

from tacit.errors import TacitError
from tacit.methods.self_distillation.simsiam import SimSiam
from tacit.training.optimizers import build, set_rate
from tests.methods.fixed import Identity, fill, matrix_gradients, views


def test_loss_and_gradient_are_the_official():
    method = SimSiam(Identity(), dim=5, hidden=4)
    fill(method.parameters())
    loss = method.step(views(0.9, 1.7))
    loss.backward()
    assert float(loss) - 1 == pytest.approx(-0.01738283, abs=1e-6)
    assert matrix_gradients(method) == pytest.approx([0.3228967, 0.1683635, 0.0792893, 0.0597109, 0.0783566], rel=1e-4)


def test_the_target_gets_no_gradient():
    """With a predictor that says one thing whatever it sees, nothing before it moves."""
    method = SimSiam(Identity(), dim=5, hidden=4)
    torch.nn.init.zeros_(method.predictor[-1].weight)
    torch.nn.init.ones_(method.predictor[-1].bias)
    method.step(views(0.9, 1.7)).backward()
    assert all(float(p.grad.abs().max()) == 0 for p in method.projector.parameters())


def test_the_predictors_rate_stays():
    """As with --fix-pred-lr: the first rate for the predictor throughout, half a cosine for the rest."""
    recipe = SimSiam.recipe.but(batch=256)
    optimizer = build(SimSiam(Identity(), dim=5, hidden=4), recipe)
    for progress, falling in ((0.0, 0.05), (0.5, 0.025), (1.0, 0.0)):
        set_rate(optimizer, recipe, progress)
        rates = {name: group["lr"] for group in optimizer.param_groups for name in group["names"]}
        assert {rate for name, rate in rates.items() if name.startswith("predictor.")} == {0.05}
        assert [rate for name, rate in rates.items() if name.startswith("projector.")] == pytest.approx([falling] * 7)


def test_a_wrong_width_is_refused():
    with pytest.raises(TacitError, match="hidden is 0"):
        SimSiam(Identity(), hidden=0)
