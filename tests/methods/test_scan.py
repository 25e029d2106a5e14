"""SCAN against wvangansbeke/Unsupervised-Classification@952ec31: what its own `SCANLoss` (entropy weight 5) and
`ConfidenceBasedCE` (balanced) of losses/losses.py gave on these tensors."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from tacit import check
from tacit.check import Case
from tacit.errors import TacitError
from tacit.method import Batch, Facts, Trained
from tacit.methods.clustering.scan import SCAN
from tacit.methods.clustering.scan.pretext import Pretext
from tacit.methods.clustering.scan.self_label import SelfLabel, taught
from tests.methods.fixed import Identity, sine

TERMS = {"disagreement": 1.6391794681549072, "entropy": 1.3672798871994019}
NORMS = [0.2710490822792053, 0.15463367104530334]
FIRST = [
    [0.011426602490246296, -0.06121111288666725, -0.04063458740711212, 0.09041911363601685],
    [0.008806602098047733, 0.01296652015298605, -0.020923396572470665, -0.0008497301023453474],
]
TAUGHT, TAUGHT_NORM, SURE = 1.776120901107788, 0.4387064278125763, 0.7


class Four(nn.Module):
    """An encoder that says what it sees: four numbers."""

    dim = 4

    def forward(self, x):
        return x


def identity(head: nn.Linear) -> None:
    with torch.no_grad():
        head.weight.copy_(torch.eye(4))
        head.bias.zero_()


def test_the_loss_and_its_gradients_are_the_official():
    method = SCAN(Four(), clusters=4)
    identity(method.head)
    looks = [(2 * sine(8, 4, rate=rate)).requires_grad_() for rate in (0.7, 1.3)]
    found = method.step(Batch(looks, torch.arange(8)))
    entropy, weight = found["entropy"]
    assert float(found["disagreement"].detach()) == pytest.approx(TERMS["disagreement"], rel=1e-5) and weight == -5
    assert float(entropy.detach()) == pytest.approx(TERMS["entropy"], rel=1e-5)
    (found["disagreement"] + weight * entropy).backward()
    for look, norm, row in zip(looks, NORMS, FIRST):
        assert float(look.grad.norm()) == pytest.approx(norm, rel=1e-4)
        torch.testing.assert_close(look.grad[0], torch.tensor(row), rtol=1e-4, atol=1e-6)


def test_labels_that_are_sure_teach_as_in_the_official_code():
    told = sine(8, 4, rate=1.3).requires_grad_()
    loss = taught((4 * sine(8, 4, rate=0.7)).softmax(1), told, SURE)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(TAUGHT, rel=1e-5)
    assert float(told.grad.norm()) == pytest.approx(TAUGHT_NORM, rel=1e-4)


def test_where_nothing_is_sure_nothing_is_taught():
    told = sine(8, 4, rate=1.3).requires_grad_()
    loss = taught(torch.full((8, 4), 0.25), told, 0.99)
    loss.backward()
    assert float(loss.detach()) == 0 and not told.grad.any()


def test_the_target_is_without_gradient_and_the_head_goes_on():
    head = torch.cat([torch.eye(4), torch.zeros(4, 1)], 1)
    method = SelfLabel(Four(), head=head, threshold=SURE)
    plain, look = (4 * sine(8, 4, rate=0.7)).requires_grad_(), sine(8, 4, rate=1.3).requires_grad_()
    method.step(Batch([plain, look], torch.arange(8))).backward()
    assert plain.grad is None and float(look.grad.norm()) == pytest.approx(TAUGHT_NORM, rel=1e-4)
    assert torch.equal(method.predict(look), look.argmax(1))


def test_three_trainings_hand_on_neighbours_and_head():
    story = SCAN.stages(clusters=3, neighbours=2, threshold=0.9)
    stage = next(story)
    assert stage.method is Pretext
    z = torch.tensor([[1.0, 0], [1, 0.1], [1, 0.2], [0, 1], [0.1, 1], [0.2, 1]])
    stage = story.send(Trained(Pretext(Four()), lambda how: z))
    assert stage.method is SCAN and stage.options["clusters"] == 3
    assert stage.options["mined"].sort(1).values.tolist() == [[0, 1, 2]] * 3 + [[3, 4, 5]] * 3  # itself among them
    method = SCAN(Four(), **stage.options)
    method.prepare(Facts("vector", 6))
    assert torch.equal(method.before_epoch(None).partners, stage.options["mined"])
    stage = story.send(Trained(method, None))
    last = SelfLabel(Four(), **stage.options)
    assert torch.equal(last.head.weight, method.head.weight) and torch.equal(last.head.bias, method.head.bias)
    assert last.threshold == 0.9
    with pytest.raises(StopIteration):
        story.send(None)
    assert next(SCAN.stages(pretext=False)).method is SCAN


def test_without_a_pretext_the_encoder_says_once_who_is_near():
    method = SCAN(Four(), neighbours=1)
    method.prepare(Facts("vector", 4))
    z = torch.tensor([[1.0, 0], [0, 1], [1, 0.1], [0.1, 1]])
    assert method.before_epoch(lambda: z).partners.tolist() == [[0, 2], [1, 3], [2, 0], [3, 1]]
    method.progress = 0.5
    assert method.before_epoch(lambda: -z.flip(0)).partners.tolist() == [[0, 2], [1, 3], [2, 0], [3, 1]]


@pytest.mark.parametrize("options", [{"pretext": False, "self_label": False}])
def test_every_parameter_of_the_second_training_gets_gradient(options):
    """`check_method` looks at the first training of a story."""
    base = check.VECTORS
    check._steps(Case(SCAN, replace(base, options={**base.options, "clusters": 4, **options})))


def test_wrong_options_are_named():
    with pytest.raises(TacitError, match="clusters is 1"):
        SCAN(Identity(), clusters=1)
    with pytest.raises(TacitError, match="threshold is 2"):
        SelfLabel(Identity(), head=torch.zeros(3, 7), threshold=2.0)
