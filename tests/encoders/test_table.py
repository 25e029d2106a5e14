"""Encoders of table rows."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from tacit.data.generated import table
from tacit.data.tabular.rows import from_arrow
from tacit.encoders.table import FeatureTokens, TableMLP
from tacit.errors import TacitError
from tacit.material import facts_of
from tacit.method import Facts
from tacit.views.columns import layout
from tacit.views.table import TableViews


@pytest.fixture(scope="module", params=["few", "many"])
def seen(request):
    """Facts and plain views of a table of few values, and of one with a column of many."""
    samples = table(64)
    if request.param == "many":
        samples = from_arrow(pa.table({"w": [f"w{i}" for i in range(80)], "x": list(range(80)), "c": list("ab") * 40}))
    found = samples.facts() | samples.statistics()
    views = TableViews.fit(found)
    facts = facts_of(found | {"shape": list(views.shape)}, views, len(samples))
    return facts, views.look(samples.read(np.arange(64))[0], np.arange(64), 0, "plain")[0]


@pytest.mark.parametrize("kind", [TableMLP, FeatureTokens])
def test_gradient_reaches_every_parameter_and_evaluation_changes_nothing(kind, seen):
    torch.manual_seed(0)
    facts, x = seen
    encoder = kind(facts, width=32)
    (encoder(x) * torch.randn(len(x), encoder.dim)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in encoder.parameters())
    encoder.eval()
    assert encoder(x).shape == (64, 32) and torch.equal(encoder(x), encoder(x))


def test_tokens_are_of_columns(seen):
    torch.manual_seed(0)
    facts, x = seen
    encoder = FeatureTokens(facts, width=16, depth=1, heads=2).eval()
    columns = len(facts.more["columns"])
    tokens = encoder.tokens(x)
    assert tokens.shape == (64, columns, 16) and encoder.columns == columns
    torch.testing.assert_close(encoder(x), tokens.mean(1))
    order = torch.arange(columns).flip(0).expand(64, -1)
    torch.testing.assert_close(encoder.tokens(x, order), tokens.flip(1))
    alone = encoder.tokens(x, torch.zeros(64, 1, dtype=torch.int64))
    other = x.clone()
    other[:, layout(facts.more["columns"])[0].stop :] = 0  # what is not shown does not matter
    assert alone.shape == (64, 1, 16)
    torch.testing.assert_close(encoder.tokens(other, torch.zeros(64, 1, dtype=torch.int64)), alone)


def test_values_that_share_the_last_slot_are_told_apart_by_their_address():
    samples = from_arrow(pa.table({"w": [f"w{i}" for i in range(200)], "x": [1, 2] * 100}))
    found = samples.facts() | samples.statistics()
    views = TableViews.fit(found)
    facts = facts_of(found | {"shape": list(views.shape)}, views, 200)
    x, _ = views.look(samples.read(np.arange(200))[0], np.arange(200), 0, "plain")
    rare = x[x[:, 64] == 1]
    for encoder in (TableMLP(facts).eval(), FeatureTokens(facts).eval()):
        assert len(rare) == 136 and len(encoder(rare).detach().unique(dim=0)) > 130


@pytest.mark.parametrize("options", [{"width": 0}, {"width": 30, "heads": 4}])
def test_mistakes_are_named(seen, options):
    with pytest.raises(TacitError):
        FeatureTokens(seen[0], **options)
    with pytest.raises(TacitError, match="facts of kind vector"):
        TableMLP(Facts("vector", 9, (7,)))
