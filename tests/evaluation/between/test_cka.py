"""Linear CKA, biased and debiased: against naive Gram matrices, its invariances, and its interval."""

import math

import numpy as np
import pytest
import torch

from tacit.errors import TacitError
from tacit.evaluation.between import cka as cka_file
from tacit.evaluation.between.cka import cka, cka_debiased


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def related(n, d1, d2, seed, share=1.0):
    """Two noisy views of five shared causes; the maps do not depend on the seed."""
    z = normal(n, 5, seed=3 * seed)
    first = share * z @ normal(5, d1, seed=10_001) + normal(n, d1, seed=3 * seed + 1)
    second = share * z @ normal(5, d2, seed=10_002) + normal(n, d2, seed=3 * seed + 2)
    return first, second


def naive_cka(x, y):
    """Kornblith et al. 2019 from n × n matrices."""
    x, y = x.double().numpy(), y.double().numpy()
    centre = np.eye(len(x)) - 1 / len(x)
    a, b = centre @ x @ x.T @ centre, centre @ y @ y.T @ centre
    return (a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b)


def naive_hsic(x, y):
    """HSIC₁ of Song et al. 2012, one sum after the other, on raw features."""
    a, b = (z.double().numpy() @ z.double().numpy().T for z in (x, y))
    np.fill_diagonal(a, 0)
    np.fill_diagonal(b, 0)
    n = len(a)
    middle = a.sum() * b.sum() / (n - 1) / (n - 2)
    return (np.trace(a @ b) + middle - 2 / (n - 2) * a.sum(0) @ b.sum(1)) / n / (n - 3)


SHAPES = [(90, 7, 12), (40, 60, 9), (40, 60, 80)]  # through d × d, and through tiles of the Gram matrices


@pytest.mark.parametrize(("n", "d1", "d2"), SHAPES)
@pytest.mark.parametrize("rows", [16, 2048])
def test_equal_the_naive_forms(monkeypatch, n, d1, d2, rows):
    monkeypatch.setattr(cka_file, "ROWS", rows)
    x, y = related(n, d1, d2, seed=0)
    x = 100 * x + 3
    assert cka(x, y).value == pytest.approx(naive_cka(x, y), rel=1e-6)
    expected = naive_hsic(x, y) / math.sqrt(naive_hsic(x, x) * naive_hsic(y, y))
    assert cka_debiased(x, y).value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("measure", [cka, cka_debiased])
def test_turning_scaling_and_moving_change_nothing(measure):
    x = normal(80, 10)
    turn = torch.linalg.qr(normal(10, 10, seed=1)).Q
    number = measure(x, 1e3 * x @ turn - 5)
    assert number.value == pytest.approx(1, abs=1e-6) and number.high - number.low < 1e-5
    a, b = related(80, 10, 6, seed=1)
    assert measure(a, b).value == pytest.approx(measure(b, a @ turn).value, abs=1e-6)
    assert measure(a, b * torch.arange(1, 7)).value != pytest.approx(measure(a, b).value, abs=1e-3)  # single axes count


@pytest.mark.parametrize(("n", "d"), [(200, 10), (50, 400)])
def test_unrelated(n, d):
    """Debiased it is 0 on average; biased it is what the protocol says."""
    pairs = [(normal(n, d, seed=2 * s), normal(n, d, seed=2 * s + 1)) for s in range(40)]
    debiased = [cka_debiased(x, y) for x, y in pairs]
    values = np.array([number.value for number in debiased])
    assert abs(values.mean()) < 3 * values.std() / math.sqrt(40) and values.std() < 0.05
    assert np.mean([number.low <= 0 <= number.high for number in debiased]) >= 0.9
    biased = [cka(x, y) for x, y in pairs]
    assert np.mean([number.value for number in biased]) == pytest.approx(biased[0].protocol["by_chance"], rel=0.05)


def test_by_chance_is_the_mean_over_pairings():
    x, y = related(30, 5, 5, seed=0)
    shuffles = [y[torch.from_numpy(np.random.default_rng(s).permutation(30))] for s in range(400)]
    assert np.mean([cka(x, s).value for s in shuffles]) == pytest.approx(cka(x, y).protocol["by_chance"], rel=0.05)
    assert abs(np.mean([cka_debiased(x, s).value for s in shuffles])) < 0.01


def test_the_interval_holds_the_truth():
    truth = cka(*related(20_000, 12, 12, seed=999, share=0.4)).value
    numbers = [cka_debiased(*related(200, 12, 12, seed=s, share=0.4)) for s in range(60)]
    assert np.mean([number.low <= truth <= number.high for number in numbers]) >= 0.85
    assert np.mean([number.value for number in numbers]) == pytest.approx(truth, abs=0.02)


def test_what_cannot_be_measured():
    x, equal = normal(20, 4), torch.full((20, 4), 0.3)
    assert "equal" in cka(x, equal).why and "equal" in cka_debiased(equal, x).why
    nearly = equal + 1e-8 * normal(20, 4, seed=1).double()
    assert "rounding" in cka(x, nearly).why and "rounding" in cka_debiased(x, nearly).why
    assert "3 samples" in cka_debiased(x[:3], x[:3]).why and "2 samples" in cka(x[:2], x[:2]).why
    assert cka(x[:0], x[:0]).why and cka_debiased(x[:0], x[:0]).why
    alone = torch.zeros(20, 4)
    alone[0] = 1  # one sample apart from all others, which are alike
    assert "vary together" in cka_debiased(x, alone).why and cka(x, alone).value > 0
    with pytest.raises(TacitError, match="first has 20 samples and the second 19"):
        cka(x, x[:19])
