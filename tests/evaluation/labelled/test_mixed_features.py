"""Probes of features that are there, that are not, and of subclasses that collapsed."""

import math

import pytest
import torch

from tacit.data.mixed import mixed, told
from tacit.errors import TacitError
from tacit.evaluation.labelled.linear import linear
from tacit.evaluation.labelled.mixed_features import feature_probes, subclass_probe


def halves(**options):
    """Values and features of the train and test part of a generated set."""
    found = []
    for part in (mixed(3000, **options).split("train"), mixed(3000, **options).split("test")):
        values = torch.from_numpy(part.values[part.rows])
        found += [values, {name: torch.from_numpy(labels) for name, labels in told(part).items()}]
    return found


def test_each_feature_is_read_where_it_is_and_at_chance_where_it_is_not():
    x, features, x_test, expected = halves(strengths=(8.0, 0.0, 8.0))
    numbers = {n.protocol["feature"]: n for n in feature_probes(x, features, x_test, expected)}
    assert list(numbers) == ["class", "subclass", "irrelevant"] and {n.name for n in numbers.values()} == {"feature_accuracy"}
    assert numbers["class"].value > 0.97 and numbers["irrelevant"].value > 0.9
    gone = numbers["subclass"]
    assert gone.low < 0.55 and gone.protocol["chance"] == pytest.approx(0.5, abs=0.05)
    alone = linear(x, features["class"], x_test, expected["class"])
    assert (numbers["class"].value, numbers["class"].low) == (alone.value, alone.low)


def test_a_probe_in_each_class_reads_subclasses_that_none_reads_over_all():
    x, f, x_test, e = halves(strengths=(8.0, 6.0, 2.0))
    kept = subclass_probe(x, f["class"], f["subclass"], x_test, e["class"], e["subclass"])
    assert kept.value > 0.9 and kept.protocol["classes"] == 4 and kept.low < kept.value <= kept.high
    by_hand = [
        linear(
            x[f["class"] == c], f["subclass"][f["class"] == c], x_test[e["class"] == c], e["subclass"][e["class"] == c]
        ).value
        for c in range(4)
    ]
    assert kept.value == pytest.approx(sum(by_hand) / 4)


def test_collapsed_subclasses_are_at_chance_at_test_though_not_in_training():
    """Noise that tells train subclasses apart, as an over-parametrised minimiser may have fitted, is not a subclass."""
    x, f, x_test, e = halves(strengths=(8.0, 0.0, 0.0))
    x = torch.cat([x, f["subclass"][:, None] + 0.1 * torch.randn(len(x), 1, generator=torch.Generator().manual_seed(0))], 1)
    x_test = torch.cat([x_test, torch.randn(len(x_test), 1, generator=torch.Generator().manual_seed(1))], 1)
    number = subclass_probe(x, f["class"], f["subclass"], x_test, e["class"], e["subclass"])
    assert number.value == pytest.approx(number.protocol["chance"], abs=0.1)
    assert subclass_probe(x, f["class"], f["subclass"], x, f["class"], f["subclass"]).value > 0.99


def test_edges():
    x, y = torch.randn(40, 3, generator=torch.Generator().manual_seed(0)), torch.arange(40) % 2
    none = subclass_probe(x, y, torch.zeros_like(y), x, y, torch.zeros_like(y))
    assert math.isnan(none.value) and "no class" in none.why
    few = subclass_probe(x[:6], y[:6], torch.arange(6) // 2, x, y, y)
    assert math.isnan(few.value)
    half = subclass_probe(x, y, torch.where(y == 0, 0, torch.arange(40) // 2 % 2), x, y, torch.arange(40) // 2 % 2)
    assert half.protocol["classes"] == 1 and half.protocol["classes_skipped"] == [0]
    (flat,) = feature_probes(x, {"f": torch.zeros_like(y)}, x, {"f": y})
    assert math.isnan(flat.value) and flat.protocol["feature"] == "f"


def test_mistakes():
    x, y = torch.zeros(20, 3), torch.arange(20) % 2
    with pytest.raises(TacitError, match="the same in both"):
        feature_probes(x, {"a": y}, x, {"b": y})
    with pytest.raises(TacitError, match="n × d and n"):
        feature_probes(x, {"a": y[:3]}, x, {"a": y})
    with pytest.raises(TacitError, match="subclass labels"):
        subclass_probe(x, y, y[:3], x, y, y)
