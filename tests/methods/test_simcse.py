"""SimCSE against princeton-nlp/SimCSE@49fa580.

The numbers are what its own MLPLayer and Similarity gave on these tensors, with the cross-entropy of cl_forward.
"""

import pytest
import torch

from tacit.method import Batch
from tacit.methods.contrast.simcse import SimCSE
from tests.methods.fixed import sine

OFFICIAL = {  # temperature: loss, norm of the gradient, its row 0 of the first look and row 1 of the second
    0.05: (
        8.305931091308594,
        9.592103004455566,
        [-8.927890121412929e-06, -8.28753491077805e-06, 1.4095057849772274e-06, 9.566227163304575e-06, 7.268899025802966e-06],
        [-1.0121499300003052, 1.1482625007629395, 2.053844690322876, 0.7149695158004761, -1.405229926109314],
    ),
    0.5: (
        1.5836795568466187,
        0.5858997106552124,
        [-0.007365929428488016, -0.04221338778734207, -0.03092973306775093, 0.014154178090393543, 0.04377029091119766],
        [-0.13131168484687805, 0.12849704921245575, 0.24788320064544678, 0.09638068825006485, -0.1604473888874054],
    ),
}


class Width(torch.nn.Module):
    """An encoder that says what it sees."""

    dim = 5

    def forward(self, x):
        return x


@pytest.mark.parametrize("temperature", OFFICIAL)
def test_head_loss_and_gradient_are_the_official(temperature):
    loss, norm, row0, row1 = OFFICIAL[temperature]
    method = SimCSE(Width(), temperature=temperature)
    with torch.no_grad():
        method.projector[0].weight.copy_(sine(5, 5, rate=1.1))
        method.projector[0].bias.copy_(sine(1, 5, rate=0.3)[0])
    first = sine(6, 5, rate=0.7).requires_grad_()
    second = (sine(6, 5, rate=0.7) * 0.5 + sine(6, 5, rate=1.3)).requires_grad_()
    ours = method.step(Batch([first, second], torch.arange(6)))
    ours.backward()
    assert float(ours.detach()) == pytest.approx(loss, rel=1e-5)
    assert float(torch.cat([first.grad, second.grad]).norm()) == pytest.approx(norm, rel=1e-4)
    torch.testing.assert_close(first.grad[0], torch.tensor(row0), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(second.grad[1], torch.tensor(row1), rtol=1e-3, atol=1e-4)


def test_the_head_is_for_training_alone():
    method = SimCSE(Width())
    x = sine(6, 5, rate=0.7)
    assert torch.equal(method.represent(Batch([x], torch.arange(6))), x)
