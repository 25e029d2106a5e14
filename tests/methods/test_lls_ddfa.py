"""DDFA against acmi-lab/Latent-Label-Shift-DDFA@ccb82ca.

SHARES are those of its own `ClusterNMFClassPriorEstimation` (seed 3, ddfa/components/class_prior_estimation.py) of these cells,
POSTERIORS those of its own `solve_p_y_x` and `solve_p_y_x_d` (experiment_utils.py).
"""

import numpy as np
import pytest
import torch

from tacit.errors import TacitError
from tacit.evaluation.labelled.clustering import cluster_accuracy, contingency
from tacit.method import Batch, Facts, Trained
from tacit.methods.clustering.lls_ddfa import DDFA, Shares, told_of
from tacit.parts.clusters.latent_shift import class_posteriors, class_shares, factored
from tests.methods.fixed import D, Identity, sine

COUNTS = np.array([[13.0, 10, 13, 12], [0, 0, 0, 0], [0, 0, 0, 0], [14, 12, 14, 8], [7, 3, 8, 6]])  # of cells in domains
SHARES = [
    [0.86765033, 0.51553864, 0.97890082, 0.73993063],
    [0.02758372, 0.00754718, 0.01680697, 0.24738938],
    [0.10476596, 0.47691419, 0.00429221, 0.01267999],
]
POSTERIORS = [
    [0.92725345, 0.05023906, 0.02250748],
    [3.79605909, -2.8244087, 0.02834962],
    [1.62056505, 0.27656442, -0.89712947],
    [1.04196584, -0.04569483, 0.00372899],
    [0.50761474, 0.53961687, -0.04723161],
    [0.3620041, -0.01320373, 0.65119964],
]


def test_shares_of_classes_are_the_official():
    np.testing.assert_allclose(factored(COUNTS, 3, 3), SHARES, rtol=1e-3, atol=1e-4)


def test_classes_of_samples_are_the_official():
    told, shares = (2 * sine(6, 4, rate=0.7)).softmax(1), torch.tensor(SHARES)
    found = class_posteriors(told, shares, torch.tensor([0, 3, 1, 2, 0, 1]))
    torch.testing.assert_close(found, torch.tensor(POSTERIORS), rtol=1e-3, atol=1e-4)


def test_classes_of_a_true_discriminator_are_found_without_labels():
    """Three classes in four domains, each class with two cells that a discriminator cannot tell apart."""
    torch.manual_seed(0)
    true = torch.tensor([[0.7, 0.1, 0.1, 0.4], [0.2, 0.8, 0.1, 0.2], [0.1, 0.1, 0.8, 0.4]])
    domain = torch.arange(4000) % 4
    label = torch.multinomial(true.T[domain], 1)[:, 0]
    told = (true / true.sum(1, keepdim=True))[label] + 0.01 * torch.randn(4000, 4)
    shares = class_shares(told, domain, 3, 6)
    match = [[float((shares[a] - true[b]).abs().sum()) for b in range(3)] for a in range(3)]
    assert sorted(np.argmin(match, 1)) == [0, 1, 2] and max(min(row) for row in match) < 0.4
    guess = class_posteriors(told, shares, domain).argmax(1)
    assert cluster_accuracy(contingency(guess, label)) > 0.85


def test_the_story_hands_on_the_head_and_what_each_domain_holds():
    torch.manual_seed(0)
    story = DDFA.stages(domains=4, classes=2, cells=4)
    stage = next(story)
    method = DDFA(Identity(), **stage.options)
    method.prepare(Facts("vector", 40))
    assert method.domain.tolist() == [-1] * 40
    x, domain = sine(40, D, rate=0.7), torch.arange(40) % 4
    batch = Batch([x[4:]], torch.arange(4, 40), labels=domain[4:])
    loss = method.step(batch)
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(method.head(x[4:]), domain[4:]))
    method.after_step(batch)
    assert method.domain.tolist() == [-1] * 4 + domain[4:].tolist()
    stage = story.send(Trained(method, lambda how: how(Batch([x], torch.arange(40))).detach()))
    last = Shares(Identity(), **stage.options)
    assert stage.method is Shares and last.shares.shape == (2, 4)
    torch.testing.assert_close(last.shares.sum(0), torch.ones(4))
    expected = class_posteriors(told_of(method, x), last.shares, domain)
    torch.testing.assert_close(last.posterior(x, domain), expected)
    with pytest.raises(StopIteration):
        story.send(None)


def test_wrong_numbers_are_named():
    with pytest.raises(TacitError, match="classes is 5, of 4 domains"):
        DDFA(Identity(), domains=4, classes=5)
    method = DDFA(Identity(), domains=2, classes=2)
    with pytest.raises(TacitError, match="more domains than 2"):
        method.step(Batch([sine(4, D, rate=0.7)], torch.arange(4), labels=torch.arange(4)))
