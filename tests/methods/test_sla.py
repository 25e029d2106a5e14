"""SLA against hankook/SLA@bc5d9cd.

The numbers are what its own create_sla_sd_trainer (trainers.py, T = 2) gave on these tensors on current torch, for one linear
layer as encoder, by its own transformations (augmentations.py): rotation, color_perm3, color_perm and rot_color_perm12.
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.pretext.sla import ORDERS, SLA, averaged, transformed
from tests.methods.fixed import sine, wave

CLASSES, LABELS = 3, torch.tensor([0, 2, 1, 1, 0, 2])
OFFICIAL = {  # by turns and orders of colour: the copies' sum by weights, loss, the gradients' norms, averaged answers
    (4, 1): (-1.334003, 3.911456, [1.064324, 0.103554, 1.902397, 0.520572], [0.070340, -0.530099, -0.167944]),
    (1, 3): (0.945419, 3.794003, [0.975985, 0.266579, 0.849368, 0.232999], [5.528091, 4.093587, 3.747409]),
    (1, 6): (-2.007203, 5.338155, [1.159123, 0.316909, 0.638761, 0.174895], [4.810869, 3.287530, 1.292327]),
    (4, 3): (22.109900, 6.030278, [0.670224, 0.113641, 1.900501, 0.519746], [0.007755, -0.189870, -0.204118]),
}
JOINT = {(4, 1): 2.553639, (1, 3): 2.493698, (1, 6): 3.833638, (4, 3): 4.696828}


class Flat(nn.Module):
    """An encoder that says every pixel."""

    dim = 27

    def forward(self, x):
        return x.flatten(1)


def made(**options):
    method = SLA(Flat(), **options)
    method.prepare(Facts("image", 6, (3, 3, 3), {"classes": CLASSES}))
    with torch.no_grad():
        for i, p in enumerate([*method.joint.parameters(), *method.single.parameters()]):
            p.copy_(wave(*p.shape, turn=0.7 + 0.13 * i) * 0.5)
    return method


def images():
    return sine(6, 3, 3, 3, rate=0.7)


@pytest.mark.parametrize(("turns", "orders"), list(OFFICIAL))
def test_copies_terms_answers_and_gradients_are_the_official(turns, orders):
    method, (copies, loss, norms, answers) = (
        made(rotations=turns, colour_orders=orders, temperature=2.0),
        OFFICIAL[turns, orders],
    )
    seen = transformed(images(), turns, ORDERS[orders]).flatten(0, 1).double()
    weights = torch.sin(torch.arange(seen.numel(), dtype=torch.float64) * 0.37).float().double().view(seen.shape)
    assert (seen * weights).sum().item() == pytest.approx(copies, abs=1e-4)
    terms = method.step(Batch([images()], torch.arange(6), labels=LABELS))
    total = terms["joint"] + sum(term * weight for term, weight in (terms["single"], terms["distilled"]))
    total.backward()
    assert [terms["joint"].item(), total.item()] == pytest.approx([JOINT[turns, orders], loss], abs=1e-5)
    assert [float(p.grad.norm()) for p in [*method.joint.parameters(), *method.single.parameters()]] == pytest.approx(
        norms, rel=1e-4
    )
    assert averaged(method.answers(images())[0], turns * orders)[1].tolist() == pytest.approx(answers, abs=1e-5)


def test_what_is_averaged_is_what_the_loop_finds():
    joint = wave(4, 6, 3 * 6, turn=0.3)
    expected = torch.stack([joint[:, t, t::6] for t in range(6)]).mean(0)
    torch.testing.assert_close(averaged(joint, 6), expected)


def test_all_copies_together_predict():
    method = made()
    joint = method.answers(images())[0].detach()
    scores = [[float(sum(joint[n, t, c * 4 + t] for t in range(4))) for c in range(CLASSES)] for n in range(6)]
    assert method.predict(images()).tolist() == [max(range(CLASSES), key=one.__getitem__) for one in scores]


def test_without_distillation_the_joint_labels_alone_teach():
    terms = made(distillation=0.0).step(Batch([images()], torch.arange(6), labels=LABELS))
    assert [terms[name][1] for name in ("single", "distilled")] == [0.0, 0.0]


@pytest.mark.parametrize("wrong", [{"rotations": 3}, {"colour_orders": 2}, {"distillation": -1.0}, {"temperature": 0.0}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        SLA(Flat(), **wrong)


def test_grey_images_have_no_orders_of_colour():
    with pytest.raises(TacitError, match="no orders of colour"):
        SLA(Flat(), colour_orders=3).prepare(Facts("image", 6, (1, 3, 3), {"classes": CLASSES}))
