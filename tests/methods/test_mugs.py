"""Mugs against sail-sg/mugs@10ab634.

The numbers are what its own heads, memories and losses (src/model.py, src/loss.py, Block of src/vision_transformer.py) gave
over two steps of SGD at rate 0.05 on these tensors on current torch: an encoder of one layer that is class token, mean token
and mean patch alike, two large crops and a small one, three neighbours, the memories' places set to what was put in.
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.self_distillation.mugs import Mugs
from tests.methods.fixed import D, Identity, N, fill, wave

HIDDEN, DIM, K, QUEUE = 7, 5, 9, 32
STEPS = [  # three losses, norms of eight gradients, a row of the encoder's
    (
        [6.432366, 3.339928, 2.352417],
        [0.144822, 0.069535, 0.254626, 0.189488, 0.341878, 2.587891, 3.545557, 14.773597],
        [0.02917, -0.021325, -0.011954, 0.006707, -0.012412, 0.017148],
    ),
    (
        [4.376478, 6.220927, 1.432925],
        [0.518742, 0.535262, 2.641308, 2.12739, 0.324996, 1.663546, 2.482129, 2.724196],
        [-0.002228, 0.032881, -0.024847, -0.000651, 0.011982, -0.025478],
    ),
]
KEYS, MEMORIES, CENTRE = (12.59271, 11.83458), (100.42583, 107.93925), [0.032034, -0.025673, 0.008417, 0.000755]


class Linear(nn.Linear):
    """An encoder of one layer."""

    dim = D

    def __init__(self):
        super().__init__(D, D)


def ordered(encoder, said):
    """The parameters of a side in the order in which they were filled there."""
    block = said.relation
    parts = (said.instance, said.near, block.norm1, block.norm2, block.qkv, block.out, block.mlp, said.norm, said.groups)
    return [p for part in (encoder, *parts) for p in part.parameters()]


def made(**options):
    sizes = {"dim": DIM, "hidden": HIDDEN, "k": K, "queue": QUEUE, "neighbours": 3, "group_heads": 2, "teacher_momentum": 0.9}
    return Mugs(Linear(), **{**sizes, **options})


def filled():
    method = made()
    fill(ordered(method.encoder, method.said))
    fill(method.predictors.parameters())
    with torch.no_grad():
        copies = [teacher.module for teacher in method.teachers]
        for teacher, part in zip(method.teachers, (method.encoder, method.said)):
            teacher.follow(part, 0.0)
        for j, p in enumerate(ordered(*copies)):
            p.add_(wave(*p.shape, turn=0.31 + 0.1 * j) * 0.1)
        for keys, turn in zip(method.keys, (0.5, 0.8)):
            keys.rows.copy_(nn.functional.normalize(wave(QUEUE, DIM, turn=turn)))
        for memory, turn in zip(method.memories, (0.4, 0.6)):
            memory.rows.copy_(wave(QUEUE, D, turn=turn))
    return method


def batch(step):
    return Batch([wave(N, D, turn=turn + 0.1 * step) for turn in (0.9, 1.7, 1.1, 1.5, 2.1)], torch.arange(N))


def test_two_steps_are_the_official():
    method = filled()
    optimizer = torch.optim.SGD([p for p in method.parameters() if p.requires_grad], lr=0.05)
    said, (first, second) = method.said, method.predictors
    watched = (method.encoder, said.instance[2], said.near[4], said.relation.qkv, said.groups.layers[0])
    watched = (*watched, said.groups.directions, first[0], second[2])
    for step, (losses, norms, row) in enumerate(STEPS):
        looks = batch(step)
        terms = method.step(looks)
        optimizer.zero_grad()
        sum(loss * weight for loss, weight in terms.values()).backward()
        assert [loss.item() for loss, _ in terms.values()] == pytest.approx(losses, rel=1e-4)
        assert [float(layer.weight.grad.norm()) for layer in watched] == pytest.approx(norms, rel=2e-3)
        torch.testing.assert_close(method.encoder.weight.grad[1], torch.tensor(row), rtol=2e-3, atol=2e-5)
        optimizer.step()
        method.after_step(looks)
    assert [float(keys.rows.sum()) for keys in method.keys] == pytest.approx(KEYS, abs=1e-3)
    assert [float(memory.rows.sum()) for memory in method.memories] == pytest.approx(MEMORIES, abs=1e-3)
    torch.testing.assert_close(method.centre[:4], torch.tensor(CENTRE), rtol=1e-3, atol=1e-5)


def test_without_small_crops_the_large_ones_count_alone():
    method, looks = filled(), batch(0)
    small = looks.views.pop()
    large = {name: loss.item() for name, (loss, _) in method.step(looks).items()}
    looks.views.append(small)
    assert all(large[name] != loss.item() for name, (loss, _) in method.step(looks).items())


def test_a_weight_of_nothing_leaves_its_loss_out():
    weights = [weight for _, weight in made(weights=(1.0, 0.0, 3.0)).step(batch(0)).values()]
    assert weights == pytest.approx([0.25, 0.0, 0.75])


@pytest.mark.parametrize("wrong", [{"weights": (0.0, 0.0, 0.0)}, {"sharpening": (0.1, 0.0)}, {"neighbours": 0}, {"k": 0}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        made(**wrong)


def test_heads_that_do_not_divide_the_answer_are_refused():
    with pytest.raises(TacitError, match="4 heads"):
        Mugs(Identity(), group_heads=4)
