"""Mixed features: what the strengths say is there, and each sample is a function of its number."""

import numpy as np
import pytest

from tacit.data.generated import clusters
from tacit.data.mixed import FEATURES, mixed, told
from tacit.errors import TacitError


def test_a_larger_set_begins_with_the_smaller():
    small, large, other = mixed(300), mixed(400), mixed(300, seed=1)
    np.testing.assert_allclose(large.values[:300], small.values, rtol=1e-6, atol=1e-6)
    assert (large.labels[:300] == small.labels).all() and large.ids[:300] == small.ids
    assert (other.values != small.values).any() and small.kind == "vector" and small.values.shape == (300, 64)
    assert small.splits.tolist() == ["train", "train", "train", "train", "test"] * 60


def test_values_are_independent_and_named():
    samples = mixed(6000, values=(3, 2, 4))
    features = told(samples)
    assert tuple(features) == FEATURES and [len(set(v.tolist())) for v in features.values()] == [3, 2, 4]
    assert len(samples.classes) == 24 and samples.classes[samples.labels[0]] == "/".join(str(v[0]) for v in features.values())
    joint = np.histogram2d(features["class"], features["irrelevant"], (3, 4))[0] / 6000
    assert np.abs(joint - 1 / 12).max() < 0.015
    some = samples.take(np.array([5, 2]))
    assert told(some)["irrelevant"].tolist() == [features["irrelevant"][5], features["irrelevant"][2]]


@pytest.mark.parametrize("strengths", [(3.0, 0.0, 0.0), (0.0, 0.0, 7.0), (0.0, 2.0, 0.0)])
def test_strength_is_the_length_of_what_is_added(strengths):
    """Without noise, all samples of a set with one feature lie at that distance from the origin, one place per value."""
    samples = mixed(500, strengths=strengths, noise=0)
    assert np.linalg.norm(samples.values, axis=1) == pytest.approx(max(strengths), rel=1e-4)
    places = len(np.unique(samples.values.round(3), axis=0))
    assert places == {3.0: 4, 7.0: 8, 2.0: 8}[max(strengths)]  # 2 subclasses in each of 4 classes


def test_no_column_is_a_feature():
    values = mixed(2000, strengths=(0.0, 0.0, 12.0)).values
    spread = values.std(0)
    assert spread.max() < 4 * spread.min()


@pytest.mark.parametrize("wrong", [{"dim": 10}, {"values": (0, 2, 2)}, {"strengths": (1, -1, 1)}, {"noise": -1}])
def test_mistakes(wrong):
    with pytest.raises(TacitError, match="multiple of 4"):
        mixed(10, **wrong)
    with pytest.raises(TacitError, match="no set of mixed features"):
        told(clusters(10))
