"""What is left of the dependence of two parts where the label is known, on parts made so."""

import pytest
import torch
from torch.nn.functional import one_hot

from tacit.evaluation.labelled.partial_dependence import partial_dependence


def parts(shared: float, n: int = 6000):
    """Two parts of three classes, whose noise is so much alike."""
    random = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % 3
    noise, own = (torch.randn(n, 3, generator=random) for _ in range(2))
    means = 2 * torch.randn(2, 3, 3, generator=random)
    return means[0][labels] + noise, means[1][labels] + shared * noise + (1 - shared**2) ** 0.5 * own, labels


def test_it_is_the_difference_of_two_predictions():
    """Of the second part by the first, and by what the first predicts of the label; both by least squares."""
    x, y, labels = parts(0.5, 300)
    x, y, label = (part.double() - part.double().mean(0) for part in (x, y, one_hot(labels)))
    direct = x @ torch.linalg.lstsq(x, y).solution
    predicted = x @ torch.linalg.lstsq(x, label).solution
    by_label = predicted @ (torch.linalg.pinv(label, rtol=1e-9) @ y)
    wanted = (direct - by_label).square().sum() / direct.square().sum()
    assert partial_dependence(x, y, labels).value == pytest.approx(float(wanted), rel=1e-4)


def test_it_rises_with_what_parts_share_beside_the_label():
    found = [partial_dependence(*parts(shared)).value for shared in (0.0, 0.5, 1.0)]
    assert found[0] < 0.01 < found[1] < found[2] < 1


def test_parts_that_a_label_says_nothing_of_depend_on_each_other_alone():
    x, y, labels = parts(0.5)
    random = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))]
    assert partial_dependence(x, y, random).value > 0.99


def test_one_class_says_nothing():
    x, y, labels = parts(0.5, 9)
    number = partial_dependence(x, y, torch.zeros_like(labels))
    assert number.value != number.value and "1 classes" in number.why
