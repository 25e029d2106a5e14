"""Instance discrimination: the softmax and the noise-contrastive estimate against loops over their definitions."""

import math

import pytest
import torch
from torch.nn.functional import normalize

from tacit.numerics.processes import rank, size
from tacit.objectives.instance import instance_nce, instance_softmax


def setting(n=7, d=5, total=20, m=6):
    generator = torch.Generator().manual_seed(0)
    feature = torch.randn(n, d, generator=generator)
    bank = normalize(torch.randn(total, d, generator=generator))
    index = torch.randperm(total, generator=generator)[:n]
    noise = torch.randint(total, (n, m), generator=generator)
    return feature, bank, index, bank[torch.cat([index[:, None], noise], 1)]


def naive_softmax(feature, bank, index, temperature):
    """Equation 2 of Wu et al. 2018, sample by sample, in float64."""
    terms = []
    for f, own in zip(feature.double(), index):
        likeness = [(f / f.norm()) @ v / temperature for v in bank.double()]
        terms.append(torch.logsumexp(torch.stack(likeness), 0) - likeness[own])
    return torch.stack(terms).mean()


def naive_nce(feature, entries, n, temperature, z):
    """Equations 4 to 7, entry by entry, in float64; the noise is uniform."""
    m, terms = entries.shape[1] - 1, []
    for f, rows in zip(feature.double(), entries.double()):
        p = [torch.exp((f / f.norm()) @ v / temperature) / z for v in rows]
        h = [one / (one + m / n) for one in p]
        terms.append(-torch.log(h[0]) - sum(torch.log(1 - one) for one in h[1:]))
    return torch.stack(terms).mean()


def naive_partition(feature, entries, n, temperature):
    """Equation 8: N times the mean of the unnormalised likeness."""
    found = [math.exp(float(f / f.norm() @ v) / temperature) for f, rows in zip(feature, entries) for v in rows]
    return n * sum(found) / len(found)


@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_softmax_equals_the_naive_loop(temperature):
    feature, bank, index, _ = setting()
    ours, theirs = feature.clone().requires_grad_(), feature.clone().requires_grad_()
    loss, expected = instance_softmax(ours, bank, index, temperature), naive_softmax(theirs, bank, index, temperature)
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-6)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_nce_equals_the_naive_loop(temperature):
    feature, bank, _, entries = setting()
    ours, theirs = feature.clone().requires_grad_(), feature.clone().requires_grad_()
    loss, partition = instance_nce(ours, entries, len(bank), temperature, torch.tensor(0.0))
    assert float(partition) == pytest.approx(naive_partition(feature, entries, len(bank), temperature), rel=1e-5)
    expected = naive_nce(theirs, entries, len(bank), temperature, float(partition))
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-6)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-5)


def test_a_partition_once_set_stays():
    feature, bank, _, entries = setting()
    loss, partition = instance_nce(feature, entries, len(bank), 0.1, torch.tensor(123.0))
    assert float(partition) == 123.0
    torch.testing.assert_close(loss.double(), naive_nce(feature, entries, len(bank), 0.1, 123.0), rtol=1e-5, atol=1e-6)


def test_nce_says_nothing_where_entries_are_alike():
    """All entries equal: p is 1/N for each, so own and noise are told apart by their numbers alone, 1 against m."""
    n, m = 10, 4
    entries = torch.ones(3, 1 + m, 2) / math.sqrt(2)
    loss, partition = instance_nce(torch.ones(3, 2), entries, n, 0.5, torch.tensor(0.0))
    assert float(partition) == pytest.approx(n * math.exp(2), rel=1e-5)
    assert float(loss) == pytest.approx(math.log(1 + m) + m * math.log((1 + m) / m), rel=1e-5)


def test_scale_does_not_matter():
    feature, bank, index, entries = setting()
    longer = feature * torch.linspace(0.1, 40, len(feature))[:, None]
    torch.testing.assert_close(instance_softmax(longer, bank, index, 0.1), instance_softmax(feature, bank, index, 0.1))
    nce = [instance_nce(f, entries, len(bank), 0.1, torch.tensor(50.0))[0] for f in (longer, feature)]
    torch.testing.assert_close(*nce)


def test_autocast_changes_nothing():
    feature, bank, index, entries = setting()
    losses = [instance_softmax(feature, bank, index, 0.07), *instance_nce(feature, entries, 20, 0.07, torch.tensor(0.0))]
    with torch.autocast("cpu", torch.bfloat16):
        assert (feature @ bank.T).dtype == torch.bfloat16  # autocast is on
        inside = [instance_softmax(feature, bank, index, 0.07), *instance_nce(feature, entries, 20, 0.07, torch.tensor(0.0))]
    assert all(torch.equal(a, b) for a, b in zip(losses, inside))


def share(n):
    """Loss and partition of this process's share of the samples."""
    feature, bank, _, entries = setting(n)
    feature, entries = (x.chunk(size())[rank()] for x in (feature, entries))
    loss, partition = instance_nce(feature, entries, len(bank), 0.1, torch.tensor(0.0))
    return float(loss), float(partition)


def test_two_processes_equal_one(pair):
    loss, partition = share(8)
    found = pair.run(share, 8)
    assert sum(value for value, _ in found) / 2 == pytest.approx(loss, rel=1e-5)
    assert [z for _, z in found] == pytest.approx([partition] * 2, rel=1e-6)
