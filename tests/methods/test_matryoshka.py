"""Matryoshka representations against RAIVNLab/MRL@7ccb42d: the numbers are what its classifier gave on these tensors."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from tacit.check import VECTORS, Case, Toy
from tacit.errors import TacitError
from tacit.method import Batch, Encoder, Method, Paper
from tacit.methods.contrast.simclr import SimCLR
from tacit.methods.masked.mae import MAE
from tacit.methods.wrappers.matryoshka import Matryoshka
from tacit.objectives.nt_xent import nt_xent
from tests.methods.fixed import D, Identity, N, fill, matrix_gradients, views, wave

SIZES = (2, 3, D)


class Classes(Method):
    """A linear classifier of 3 classes."""

    paper = Paper("Probe: a classifier", "Tacit", 2026, "tests")

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)
        self.head = nn.Linear(encoder.dim, 3)

    def step(self, batch: Batch):
        return cross_entropy(self.head(self.encoder(batch.views[0])), torch.arange(len(batch)) % 3)


class Bare(Method):
    """NT-Xent of the representations themselves."""

    paper = Paper("Probe: contrast", "Tacit", 2026, "tests")

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)

    def step(self, batch: Batch):
        return nt_xent(*(self.encoder(view) for view in batch), 0.2)


def total(terms: dict) -> torch.Tensor:
    return torch.stack(list(terms.values())).sum()


def test_loss_and_gradient_are_those_of_the_official_weight_tied_head():
    method = Matryoshka(Identity(), inner=Classes(Identity()), sizes=SIZES)
    fill(method.inner.head.parameters())
    loss = total(method.step(views(0.9)))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(4.0282874, rel=1e-5)
    assert matrix_gradients(method) == pytest.approx([1.1409115], rel=1e-4)


def test_contrast_sees_each_prefix_at_length_one():
    terms = Matryoshka(Identity(), inner=Bare(Identity()), sizes=SIZES).step(views(0.9, 1.7))
    first, second = wave(N, D, turn=0.9), wave(N, D, turn=1.7)
    assert list(terms) == ["first_2", "first_3", f"first_{D}"]
    for m in SIZES:
        assert float(terms[f"first_{m}"]) == pytest.approx(float(nt_xent(first[:, :m], second[:, :m], 0.2)), rel=1e-5)


def test_sizes_are_powers_of_two_and_the_whole():
    encoder = nn.Linear(3, 48)
    encoder.dim = 48
    assert Matryoshka(encoder, inner=SimCLR(encoder)).sizes == (8, 16, 32, 48)


@pytest.mark.parametrize("sizes", [(3, 2, 6), (2, 2, 6), (0, 6), (2, 4)])
def test_wrong_sizes_are_named(sizes):
    with pytest.raises(TacitError, match="rising"):
        Matryoshka(Identity(), inner=SimCLR(Identity()), sizes=sizes)


def test_methods_of_more_than_one_vector_are_refused():
    with pytest.raises(TacitError, match="MAE is not nested"):
        Matryoshka(Identity(), inner=MAE.__new__(MAE))


def test_a_teacher_and_other_views_are_the_inner_methods_own():
    """Moved by its hook, which sees the encoder itself; NPID's batch has one view."""
    case = Case(Matryoshka, Toy(VECTORS.data, {**VECTORS.options, "inner": "byol"}))
    before = case.first_stage().method.inner.teacher.state_dict()
    after = case.train(steps=2).method.inner.teacher.state_dict()
    assert any(not torch.equal(value, after[name]) for name, value in before.items())
    assert len(Case(Matryoshka, Toy(VECTORS.data, {**VECTORS.options, "inner": "npid"})).first_stage().method.views.seen()) == 1


def test_chunks_are_refused():
    with pytest.raises(TacitError, match="--chunk"):
        Case(Matryoshka, Toy(VECTORS.data, {**VECTORS.options, "chunk": 32})).train(steps=1)
