"""Views of table rows: what stands in which slot, what is drawn, what is hidden."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from tacit.data.generated import table
from tacit.data.tabular.rows import Cells, from_arrow
from tacit.errors import TacitError
from tacit.views.columns import FAINT, addresses, layout
from tacit.views.table import TableViews

SMALL = pa.table({"x": [1.0, 3.0, None], "c": ["a", "b", "a"], "d": pa.array([0, 43200, 86400]).cast(pa.timestamp("s"))})


def fitted(samples, **how):
    return TableViews.fit(samples.facts() | samples.statistics(), **how)


def test_plain_views_by_hand():
    samples = from_arrow(SMALL)
    views = fitted(samples)
    x, drawn = views.look(samples.read(np.arange(3))[0], np.arange(3), 0, "plain")
    assert drawn == {} and views.shape == (12,) and x.dtype == torch.float32
    assert x[:, :2].tolist() == [[-1, 0], [1, 0], [0, 1]]  # the value and the flag of the missing
    assert x[:, 2:5].tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]  # a, b, another value
    torch.testing.assert_close(x[:, 5], torch.tensor([-1.0, 0.0, 1.0]) * 1.2247449)
    torch.testing.assert_close(x[:, 6:8], torch.tensor([[0.0, 1.0], [0.0, -1.0], [0.0, 1.0]]), atol=1e-6, rtol=0)
    assert [slots.width for slots in layout(views.columns)] == [2, 3, 7]


def test_another_value_is_named_and_has_its_slot():
    views = fitted(from_arrow(SMALL))
    other = from_arrow(pa.table({"more": [5], "d": SMALL["d"][:1], "c": ["z"], "x": [2]}))
    content, _ = other.read(np.array([0]))
    with pytest.warns(UserWarning, match="Column c holds values that the training part has not"):
        x, _ = views.look(content, np.array([0]), 0, "plain")
    assert x[0, :5].tolist() == [0, 0, 0, 0, 1] and views.unseen(content) == {"c": 1}
    lacking = from_arrow(pa.table({"x": [1], "d": SMALL["d"][:1]})).read(np.array([0]))[0]
    with pytest.raises(TacitError, match=r"lacks 1 of the 3 columns that were trained on \(c\)"):
        views.look(lacking, np.array([0]), 0, "plain")


def test_corrupted_cells_come_from_the_marginals():
    samples = table(1000).split("train")
    views, index = fitted(samples, corrupt=0.4), np.arange(len(samples))
    content, _ = samples.read(index)
    x, drawn = views.look(content, index, 3)
    plain, _ = views.look(content, index, 3, "plain")
    corrupted = drawn["corrupted"]
    assert abs(corrupted.float().mean() - 0.4) < 0.02 and not drawn["hidden"].any()
    same = (x == plain)[:, views.known.owner.eq(0)].all(1)
    assert same[~corrupted[:, 0]].all() and 0.1 < same[corrupted[:, 0]].float().mean() < 0.5
    swapped = fitted(samples, corrupt=1.0).look(content, index, 3)[0]
    for slot in (0, 1, 2, 60):
        torch.testing.assert_close(swapped[:, slot].mean(), plain[:, slot].mean(), atol=0.1, rtol=0)


def test_subsets_small_views_mixing_and_noise():
    samples = table(200)
    content, index = samples.read(np.arange(200))[0], np.arange(200)
    x, drawn = fitted(samples, subset=0.5, corrupt=0).look(content, index, 1)
    assert (drawn["hidden"].sum(1) == 11).all() and (x[:, 0:5][drawn["hidden"][:, 0]] == 0).all()
    assert (fitted(samples, local_subset=0.25).look(content, index, 1, "local")[1]["hidden"].sum(1) == 16).all()
    hidden = fitted(samples, drop=0.3).look(content, index, 1)[1]["hidden"]
    assert abs(hidden.float().mean() - 0.3) < 0.03
    plain = fitted(samples).look(content, index, 1, "plain")[0]
    mixed = fitted(samples, corrupt=0, mix=0.5).look(content, index, 1)[0]
    near = torch.nn.functional.cosine_similarity(mixed, plain)
    assert near.min() > 0.5 and near.max() < 1 and near.mean() < 0.99
    noisy = fitted(samples, corrupt=0, noise=0.5).look(content, index, 1)[0]
    numbers = [views.start for views in layout(fitted(samples).columns) if views.type == "number"]
    assert abs((noisy - plain)[:, numbers].std() - 0.5) < 0.05 and abs(noisy - plain).sum(0).ne(0).sum() == 9


def test_a_view_depends_on_its_sample_alone():
    samples = table(60)
    views, index = fitted(samples, drop=0.2, mix=0.3, noise=0.1), np.arange(60)
    whole, _ = views.look(samples.read(index)[0], index, 1)
    some = index[[50, 7]]
    assert torch.equal(views.look(samples.read(some)[0], some, 1)[0], whole[[50, 7]])


def test_addresses_survive_and_weigh_nothing():
    words = [f"w{i}" for i in range(200)]
    samples = from_arrow(pa.table({"w": words, "x": list(range(200))}))
    views = fitted(samples)
    content, _ = samples.read(np.arange(200))
    x, _ = views.look(content, np.arange(200), 0, "plain")
    (slots, _) = layout(views.columns)
    assert slots.hashed and slots.width == 66 and x[:, 65].max() < 2**24 * FAINT <= 2**-10
    assert torch.equal(addresses(x[:, 65]), content.codes[:, 0] & (2**24 - 1)) and len(addresses(x[:, 65]).unique()) == 200
    assert (x[:, :65].sum(1) == 1).all()


def test_mistakes_are_named():
    samples = from_arrow(SMALL)
    with pytest.raises(TacitError, match="did you mean 'corrupt'"):
        fitted(samples, corupt=1)
    with pytest.raises(TacitError, match=r"corrupt is 2; it must lie in \[0, 1\]"):
        fitted(samples, corrupt=2)
    with pytest.raises(TacitError, match="role"):
        fitted(samples).look(samples.read(np.arange(1))[0], np.arange(1), 0, "masked")
    with pytest.raises(TacitError, match="1 column to learn from"):
        fitted(from_arrow(pa.table({"x": [1, 2]})))
    assert isinstance(samples.read(np.arange(1))[0], Cells)
