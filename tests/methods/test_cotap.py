"""CoTAP: who is ranked, by whom, and who stays where."""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.self_distillation.cotap import CoTAP, Filter
from tacit.numerics.exact import unit
from tacit.objectives.dense.ranking import average_precision
from tests.methods.fixed import sine

N, C, S = 4, 3, 6


class Seen(nn.Conv2d):
    """An encoder whose maps are one convolution."""

    dim = 5

    def __init__(self):
        super().__init__(C, 5, 1)

    def maps(self, x):
        return super().forward(x)

    def forward(self, x):
        return self.maps(x).mean((2, 3))


def built(**options):
    torch.manual_seed(0)
    method = CoTAP(Seen(), prototypes=7, neighbours=2, **options)
    method.prepare(Facts("image", 6, (C, S, S)))
    return method


def batch():
    return Batch([sine(N, C, S, S, rate=0.3), sine(N, C, S, S, rate=0.47)], torch.arange(N), key=3)


def test_each_query_ranks_the_other_looks_cells_as_the_teacher_does():
    method = built(queries=3)
    with torch.no_grad():
        for p in method.teacher.parameters():
            p.add_(0.1 * sine(*p.shape, rate=1.7))
    looks = batch()
    losses = []
    for one, other in ((0, 1), (1, 0)):
        which = looks.uniform(f"queries {one}", S * S).argsort(1)[:, :3]
        for image in range(N):
            cells = [method.filter(method.encoder.maps(v)[image].flatten(1).T) for v in looks]
            slow = [method.teacher(v)[image].flatten(0, 1) for v in looks]
            for query in which[image]:
                score = unit(cells[one][query]) @ unit(cells[other]).T
                told = unit(slow[one][query]) @ unit(slow[other]).T
                told = (told - told.min()) / (told.max() - told.min())
                losses.append(1 - average_precision(score, told, 0.05).item())
    assert method.step(looks).item() == pytest.approx(sum(losses) / len(losses), rel=1e-4)


def test_only_the_student_gets_gradient_and_the_teacher_follows():
    method = built()
    method.step(batch()).backward()
    assert all(p.grad is None for p in method.teacher.parameters())
    assert all(float(p.grad.abs().max()) > 0 for p in (method.encoder.weight, *method.filter.parameters()))
    before = [p.clone() for p in method.teacher.parameters()]
    with torch.no_grad():
        method.encoder.weight.add_(1.0)
    method.after_step(batch())
    moved = [float((p - old).abs().max()) for p, old in zip(method.teacher.parameters(), before)]
    assert moved[0] == pytest.approx(0.01, rel=1e-4) and max(moved[2:]) == 0


def test_neighbours_are_those_of_the_encoder_that_was_given_and_stay():
    method = built()
    z = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.8, 0.2], [0.0, 1.0], [0.1, 0.9], [0.2, 0.8]])
    plan = method.before_epoch(lambda: z)
    assert [sorted(row) for row in plan.partners.tolist()] == [[1, 2], [0, 2], [0, 1], [4, 5], [3, 5], [3, 4]]
    again = method.before_epoch(lambda: z.flip(0) ** 2)
    assert torch.equal(again.partners, plan.partners)


def test_a_filter_says_rows_by_its_prototypes():
    part = Filter(5, 7)
    rows = sine(3, 5, rate=0.9)
    for row, found in zip(rows, part(rows)):
        weights = (part.key(part.prototypes) @ part.query(row) / 5**0.5).softmax(0)
        assert torch.allclose(found, weights @ part.value(part.prototypes), atol=1e-6)


def test_what_cannot_be_done_is_refused():
    with pytest.raises(TacitError, match="temperature is 0"):
        built(temperature=0)
    with pytest.raises(TacitError, match="2 neighbours are more than 2 samples have"):
        CoTAP(Seen(), neighbours=2).prepare(Facts("image", 2, (C, S, S)))
