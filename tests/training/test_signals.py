"""Collapse is seen in features that have collapsed and not in healthy ones."""

from contextlib import nullcontext

import pytest
import torch
from torch import nn

from tacit.method import Batch, Method
from tacit.numerics.spectra import alignment, effective_rank, feature_spread, uniformity
from tacit.training.signals import Probe, Signals, collapse
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


HEALTHY = {"isotropic": TABLE, "few dimensions of many": TABLE * (torch.arange(32) < 8)}
COLLAPSED = {
    "one point": torch.ones(64, 32) + 0.01 * TABLE,
    "a cone": torch.ones(64, 32) + 0.05 * TABLE,
}


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_features(name):
    assert collapse(measured(HEALTHY[name]), 0.5, 50, 32) == ""


@pytest.mark.parametrize("name", COLLAPSED)
def test_collapsed_features(name):
    sentence = collapse(measured(COLLAPSED[name]), 0.5, 50, 32)
    assert sentence.startswith("The representation is collapsing: effective rank") and "--lr" in sentence


def test_a_line_through_many_dimensions_has_collapsed():
    found = Signals(effective_rank=1.02, spread=0.9, alignment=0.0, uniformity=-1.0)
    assert collapse(found, 0.5, 256, 256) != ""
    assert collapse(found._replace(effective_rank=5.5), 0.5, 256, 256) == ""


def test_nothing_is_said_at_the_beginning():
    found = measured(COLLAPSED["one point"])
    assert collapse(found, 0.04, 50, 32) == "" != collapse(found, 0.05, 50, 32)


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


def test_measuring_leaves_the_method_as_it_was_and_skips_what_is_no_table():
    method = Shown(TABLE).train()
    Probe(method, numbers(64), key=3, autocast=nullcontext).measure()
    assert method.training
    assert measured(torch.full((64, 32), float("nan"))) is None
