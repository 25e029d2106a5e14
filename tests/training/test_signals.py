"""What the probe of a training measures."""

import math
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch import nn

from tacit.method import Batch, Method
from tacit.numerics.spectra import alignment, effective_rank, feature_spread, uniformity
from tacit.training.signals import Probe, own_statistics, projects, score_quantiles
from tests.training.numbers import numbers

TABLE = torch.randn(64, 32, generator=torch.Generator().manual_seed(0))


class Shown(Method):
    """Represents samples by a table of features, and by what its first view adds to it."""

    def __init__(self, table):
        super().__init__(nn.Identity())
        self.table = table

    def represent(self, batch: Batch):
        return self.table[batch.index] + 0.001 * batch.views[0][:, :1]


def measured(table):
    return Probe(Shown(table), numbers(64), key=3, autocast=nullcontext, most=50).measure()


def test_the_numbers_are_those_of_the_probed_samples():
    probe = Probe(Shown(TABLE), numbers(64), key=3, autocast=nullcontext, most=50)
    found, again = probe.measure(), probe.measure()
    assert found[:2] == again[:2] and len(set(probe.index)) == 50
    rows = TABLE[probe.index] + 0.001 * torch.from_numpy(probe.index)[:, None]
    assert found.effective_rank == pytest.approx(float(effective_rank(rows - rows.mean(0))), rel=1e-5)
    assert found.spread == pytest.approx(float(feature_spread(rows)), rel=1e-5)
    assert found.uniformity == pytest.approx(float(uniformity(rows)), rel=1e-4)
    assert probe.shape == (50, 32)


def test_alignment_compares_the_two_looks():
    def two_looks(content, index, key, partner=None):
        return [content.values, 0 * content.values], [{}, {}]

    two_looks.seen = ()
    stream = numbers(64)
    stream.source = stream.source._replace(program=two_looks)
    probe = Probe(Shown(TABLE), stream, key=3, autocast=nullcontext)
    here = TABLE[probe.index]
    expected = alignment(here + 0.001 * torch.from_numpy(probe.index)[:, None], here)
    assert probe.measure().alignment == pytest.approx(float(expected), rel=1e-3)


def test_quantiles_are_of_pairs_of_one_sample_and_of_all_other_pairs():
    first, second = (torch.randn(40, 6, generator=torch.Generator().manual_seed(i)) for i in (1, 2))
    cosines = torch.nn.functional.cosine_similarity(first[:, None], second[None], dim=2).numpy()
    own = np.eye(40, dtype=bool)
    expected = [*np.quantile(cosines[own], (0.05, 0.5, 0.95)), *np.quantile(cosines[~own], (0.05, 0.5, 0.95))]
    assert score_quantiles(first, second) == pytest.approx(expected, abs=1e-6)


def test_measuring_leaves_the_method_as_it_was_and_skips_what_is_no_table():
    method = Shown(TABLE).train()
    Probe(method, numbers(64), key=3, autocast=nullcontext).measure()
    assert method.training
    assert measured(torch.full((64, 32), float("nan"))) is None


class Projecting(Method):
    """Compares a linear map of what its encoder gives."""

    def __init__(self, width):
        encoder = nn.Linear(3, 8)
        encoder.dim = 8
        super().__init__(encoder)
        self.projector = nn.Linear(width, 6)
        self.temperature = 0.1


def test_projections_are_measured_where_the_widths_fit():
    method = Projecting(8)
    assert projects(method) and not projects(Projecting(4)) and not projects(Shown(TABLE))
    found = Probe(method, numbers(64), key=3, autocast=nullcontext).measure()
    assert 1 <= found.projected_rank < 1.1  # one number per sample
    assert 1 <= found.negatives <= 63 and found.weights > 0


def two_views(stream):
    def both(content, index, key, partner=None):
        return [content.values, content.values.flip(0)], [{}, {}]

    both.seen = ()
    stream.source = stream.source._replace(program=both)
    return stream


def test_projections_of_two_views_are_compared_where_the_loss_compares_them():
    method = Projecting(8)
    method.encoder.weight.data.normal_(generator=torch.Generator().manual_seed(0))
    probe = Probe(method, two_views(numbers(64)), key=3, autocast=nullcontext)
    found = probe.measure()
    assert found.projected_alignment > 0 and 0 < found.projected_overlap < 1
    method.prototypes = nn.Linear(6, 3)
    assert all(math.isnan(value) for value in (probe.measure().projected_alignment, probe.measure().negatives))


def test_statistics_are_the_inputs_own_and_the_running_ones_stay():
    norm, x = nn.BatchNorm1d(4).eval(), 3 + torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    with own_statistics(norm):
        inside = norm(x)
    assert inside.mean(0).abs().max() < 1e-5 < norm(x).mean(0).abs().min()
    assert list(norm.state_dict()) == list(before) and all(
        torch.equal(norm.state_dict()[name], before[name]) for name in before
    )


def test_what_a_method_has_not_is_not_measured():
    found = measured(TABLE)
    assert all(math.isnan(value) for value in (found.projected_rank, found.negatives, found.weights))


class Tokens(nn.Module):
    """Gives three rows for each sample."""

    dim = 8

    def forward(self, x):
        return x[:, :1, None] * torch.ones(3, 8)


def test_tokens_are_not_projected_by_guess():
    method = Projecting(8)
    method.encoder = Tokens()
    method.represent = lambda batch: batch.views[0]
    method.projector = nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4))
    assert projects(method) and math.isnan(Probe(method, numbers(64), key=3, autocast=nullcontext).measure().projected_rank)


def test_projections_that_are_no_numbers_end_no_training():
    method = Projecting(8)
    method.projector.weight.data[0] = float("inf")
    found = Probe(method, two_views(numbers(64)), key=3, autocast=nullcontext).measure()
    assert math.isnan(found.projected_rank) and math.isnan(found.negatives) and found.effective_rank >= 1
