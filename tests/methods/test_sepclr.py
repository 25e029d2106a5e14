"""SepCLR against neurospin-projects/2024_rlouiset_sep_clr@0e40bff.

The numbers are of one step of `train` of its cifar_mnist/sep_clr_k-jem.py with its losses and heads (dim 4) around encoders
that say what they see, the first half of the samples targets, on current torch.
"""

import pytest
import torch

from tacit.method import Batch
from tacit.methods.contrast.sepclr import SepCLR
from tacit.objectives.contrast.joint_entropy import joint_entropy
from tests.methods.fixed import D, Identity, N, fill, matrix_gradients, wave

TERMS = {"common": -0.399670, "salient": 5.808893, "silence": 1.303484, "independence": -1.287223}
LOSS = 7099.10498
GRADIENTS = [5.68892, 129778.21875, 13.17006, 17.081816, 309298.125, 84249.507812]
TARGET = [-194.95372, -193.120163, -26.54808, 162.68248, 213.15831, 81.816635]  # of the first target's first look
BACKGROUND = [292.489105, 119.86219, -154.989639, -297.596436, -186.309158, 83.933762]
JOINT = -1.706506


@pytest.fixture
def method():
    made = SepCLR(Identity(), dim=4)
    fill(p for part in (made.common, made.salient, made.common_head, made.salient_head) for p in part.parameters())
    return made


def streams(*turns):
    """A batch of targets with one of background."""
    seen = [wave(N, D, turn=turn).requires_grad_() for turn in turns]
    return Batch(seen[:2], torch.arange(N), others={"background": Batch(seen[2:], torch.arange(N))})


def test_terms_and_gradients_are_the_official_ones(method):
    batch = streams(0.9, 1.7, 2.3, 3.1)
    terms = {name: term if isinstance(term, tuple) else (term, 1.0) for name, term in method.step(batch).items()}
    assert {name: float(term.detach()) for name, (term, _) in terms.items()} == pytest.approx(TERMS, abs=1e-5)
    loss = sum(term * weight for term, weight in terms.values())
    loss.backward()
    assert float(loss.detach()) == pytest.approx(LOSS, rel=1e-5)
    assert matrix_gradients(method) == pytest.approx(GRADIENTS, rel=1e-3)
    assert batch.views[0].grad[0].tolist() == pytest.approx(TARGET, rel=1e-3)
    assert batch["background"].views[0].grad[0].tolist() == pytest.approx(BACKGROUND, rel=1e-3)


def test_joint_entropy_is_the_official_one_and_that_of_a_loop():
    first, second = wave(N, 3, turn=0.9).requires_grad_(), wave(N, 2, turn=1.7).requires_grad_()
    found = joint_entropy(first, second, 1.0)
    assert float(found.detach()) == pytest.approx(JOINT, abs=1e-5)
    apart = (first[:, None] - first).square().sum(2) + (second[:, None] - second).square().sum(2)
    looped = torch.stack([torch.stack([(-d).exp() for d in row]).mean().log() for row in apart]).mean()
    torch.testing.assert_close(found, looped)
    torch.testing.assert_close(torch.autograd.grad(found, [first, second]), torch.autograd.grad(looped, [first, second]))


def test_far_from_0_the_joint_entropy_is_as_exact():
    first, second = wave(N, 3, turn=0.9), wave(N, 2, turn=1.7)
    torch.testing.assert_close(joint_entropy(first + 300, second, 1.0), joint_entropy(first, second, 1.0), atol=1e-3, rtol=0)


def test_a_sample_is_told_by_both_codes_of_two_encoders(method):
    assert method.other is not method.encoder
    z = method.represent(streams(0.9, 1.7, 2.3, 3.1))
    torch.testing.assert_close(z[:, :4], method.common(wave(N, D, turn=0.9)))
    torch.testing.assert_close(z[:, 4:], method.salient(wave(N, D, turn=0.9)))
