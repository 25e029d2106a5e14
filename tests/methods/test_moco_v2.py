"""MoCo v2 against facebookresearch/moco@5a429c0.

The numbers are what its own moco/builder.py (with its two-layer head) gave in three steps of SGD (rate 0.5, momentum 0.9)
on these tensors, run unchanged on current torch, on one process of a CPU (its calls of `.cuda()` do nothing there). Its key
encoder moves at the start of a step and ours at the end of the last, so ours before a step is its own during it.
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.contrast.moco_v2 import MoCoV2
from tacit.views import modality
from tacit.views.kinds import Pair
from tests.methods.fixed import sine

ROUNDS = [  # loss, norm of the gradient, gradients: the head's first row and the encoder's second,
    # the same rows of the key encoder during the step, its norm's running mean and the queue's rows 0 and 7 after the step
    (
        1.1306166648864746,
        1.2429918050765991,
        [-0.01309531, 0.03310424, 0.23732577, 0.3763164],
        [0.00078549, 0.00335621, 0.00434844, 0.00329554, 0.00069269],
        [0.0, 0.89120734, 0.80849642, -0.15774567],
        [-0.97753006, -0.7727645, 0.0168139, 0.79366785, 0.96988982],
        [0.05850872, -0.18840088, 0.08984262, 0.28221354],
        [[0.51744741, 0.60439354, -0.60576946], [-0.55194181, -0.62741739, -0.54927927]],
    ),
    (
        1.6588397026062012,
        1.2335700988769531,
        [-0.03798053, -0.06875687, 0.03542459, 0.18689512],
        [-0.00032715, 0.01128514, 0.01605201, 0.01108195, -0.00061028],
        [0.00065477, 0.88955212, 0.79663014, -0.17656149],
        [-0.97756928, -0.77293229, 0.01659648, 0.79350305, 0.96985519],
        [0.11483641, -0.3828975, 0.17743757, 0.55838585],
        [[0.51744741, 0.60439354, -0.60576946], [0.94802147, -0.16579574, -0.27160111]],
    ),
    (
        1.4795109033584595,
        0.6509354114532471,
        [0.02663501, -0.07281096, -0.14769059, -0.17045662],
        [0.03696564, -0.10272018, -0.16466942, -0.10200013, 0.03786083],
        [0.00373237, 0.8900106, 0.77349955, -0.21977472],
        [-0.97762364, -0.77379858, 0.01540252, 0.79265231, 0.96982336],
        [0.15689579, -0.52557129, 0.25109321, 0.77721643],
        [[0.32780766, 0.77593571, -0.53894889], [0.94802147, -0.16579574, -0.27160111]],
    ),
]


class Small(nn.Sequential):
    """A linear layer, a norm and ReLU."""

    dim = 4

    def __init__(self):
        super().__init__(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.ReLU())


def filled():
    """MoCo v2 with the tensors that the official code was given."""
    encoder = Small()
    method = MoCoV2(encoder, dim=3, queue=12, teacher_momentum=0.9)
    rates = ((encoder[0], 0.9, 0.3), (method.projector[0], 1.7, 0.6), (method.projector[2], 1.1, 0.8))
    with torch.no_grad():
        for layer, weight, bias in rates:
            layer.weight.copy_(sine(*layer.weight.shape, rate=weight))
            layer.bias.copy_(sine(1, len(layer.bias), rate=bias)[0])
        method.queue.teacher.follow(nn.Sequential(method.encoder, method.projector), 0.0)
        method.queue.rows.copy_(nn.functional.normalize(sine(12, 3, rate=0.5)))
    return method


def test_three_steps_are_the_official_ones():
    method = filled()
    asking = [p for p in method.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(asking, 0.5, momentum=0.9)
    encoder, head = method.queue.teacher.module
    for number, (loss, norm, head_row, body_row, key_head, key_body, mean, rows) in enumerate(ROUNDS):
        torch.testing.assert_close(head[2].weight[0], torch.tensor(key_head), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(encoder[0].weight[1], torch.tensor(key_body), rtol=1e-4, atol=1e-5)
        first = sine(6, 5, rate=0.7 + 0.1 * number)
        batch = Batch([first, first * 0.5 + sine(6, 5, rate=1.3)], torch.arange(6))
        found = method.step(batch)
        optimizer.zero_grad()
        found.backward()
        assert found.item() == pytest.approx(loss, rel=1e-5)
        assert float(torch.cat([p.grad.flatten() for p in asking]).norm()) == pytest.approx(norm, rel=1e-4)
        torch.testing.assert_close(method.projector[2].weight.grad[0], torch.tensor(head_row), rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(method.encoder[0].weight.grad[1], torch.tensor(body_row), rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(encoder[1].running_mean, torch.tensor(mean), rtol=1e-4, atol=1e-5)
        optimizer.step()
        with torch.no_grad():
            method.after_step(batch)
        torch.testing.assert_close(method.queue.rows[[0, 7]], torch.tensor(rows), rtol=1e-4, atol=1e-5)
        assert int(method.queue.at) == 6 * (number + 1) % 12


def test_a_query_meets_the_queue_of_before_its_batch_and_keys_get_no_gradient():
    method = filled()
    before = method.queue.rows.clone()
    batch = Batch([sine(6, 5, rate=0.7), sine(6, 5, rate=1.3)], torch.arange(6))
    method.step(batch).backward()
    assert torch.equal(method.queue.rows, before)
    assert all(p.grad is None for p in method.queue.teacher.parameters())
    method.after_step(batch)
    assert torch.equal(method.queue.rows[:6], batch.kept["key"]) and torch.equal(method.queue.rows[6:], before[6:])


def test_the_queue_starts_with_random_directions():
    rows = MoCoV2(Small(), dim=3, queue=400).queue.rows
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(400))
    assert rows.mean(0).norm() < 0.2


def test_its_colours_are_weaker_than_simclrs_and_small_images_are_not_blurred():
    wished = MoCoV2.views.of["image"]
    large, small = (modality("image").fit({"size": s, "mean": [0.5] * 3, "std": [0.2] * 3}) for s in (224, 32))
    changed = large.but(**wished)
    assert isinstance(MoCoV2.views, Pair)
    assert (changed.crop, changed.hue, changed.blur, changed.blur_sigma) == ((0.2, 1.0), 0.1, 0.5, (0.1, 2.0))
    assert (changed.brightness, changed.contrast, changed.saturation, changed.grey, changed.jitter) == (0.4, 0.4, 0.4, 0.2, 0.8)
    assert small.but(**wished) == small


def test_a_batch_that_does_not_divide_the_queue_is_refused():
    method = MoCoV2(Small(), dim=3, queue=16)
    batch = Batch([sine(6, 5, rate=0.7), sine(6, 5, rate=1.3)], torch.arange(6))
    method.step(batch)
    with pytest.raises(TacitError, match="queue of 16 cannot be filled in batches of 6; give --queue 18"):
        method.after_step(batch)


@pytest.mark.parametrize(("option", "number"), [("dim", 0), ("temperature", 0), ("queue", 0), ("teacher_momentum", 1.5)])
def test_numbers_that_mean_nothing_are_refused(option, number):
    with pytest.raises(TacitError, match=f"{option} is {number}; it must"):
        MoCoV2(Small(), **{option: number})
