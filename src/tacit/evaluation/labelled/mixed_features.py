"""Which of several features of the data a representation kept: a probe for each, and one for subclasses inside classes."""

import math
from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.labelled.linear import linear
from tacit.evaluation.number import Number, missing


def feature_probes(
    train: Tensor, train_features: Mapping[str, Tensor], test: Tensor, test_features: Mapping[str, Tensor]
) -> list[Number]:
    """The linear probe's accuracy for each named feature of the data: n × d and m × d, int64 values n and m under each name.

    Xue et al. 2023 (Which Features are Learnt by Contrastive Learning?): a feature that the data has and the representation
    lost, though larger ones are there, was suppressed. Read each beside `chance`, the share of the most frequent train value
    in the test part, and beside a probe on raw input. The protocol names the feature.
    """
    if set(train_features) != set(test_features) or not train_features:
        raise TacitError(
            f"The train part has the features {sorted(train_features)} and the test part {sorted(test_features)}; "
            "give at least one, and the same in both."
        )
    return [_probe(name, train, values, test, test_features[name]) for name, values in train_features.items()]


def subclass_probe(
    train: Tensor,
    train_classes: Tensor,
    train_subclasses: Tensor,
    test: Tensor,
    test_classes: Tensor,
    test_subclasses: Tensor,
) -> Number:
    """How well a linear probe tells the subclasses of a class apart, mean over classes: at chance where a class collapsed.

    Features n × d and m × d, labels int64. One probe inside each class that has at least two subclasses in the train part
    and samples in the test part, fitted on the train part and measured on the test part: minimisers of a supervised loss may
    keep on train samples what they lose on others (Xue et al. 2023). The interval combines Wilson's of the classes
    (Zou and Donner 2008).
    """
    _check("class", train, train_classes, test, test_classes)
    _check("subclass", train, train_subclasses, test, test_subclasses)
    found, chances, skipped = [], [], []
    for label in train_classes.unique().tolist():  # over classes, not samples
        mine, theirs = train_classes == label, test_classes == label
        inside = train_subclasses[mine]
        if len(inside.unique()) < 2 or not bool(theirs.any()):
            skipped.append(label)
            continue
        probe = linear(train[mine], inside, test[theirs], test_subclasses[theirs])
        if math.isnan(probe.value):
            skipped.append(label)
            continue
        found.append(probe)
        chances.append(_chance(inside, test_subclasses[theirs]))
    if not found:
        return missing("subclass_accuracy", "no class has two subclasses and enough samples of them to fit a probe.")
    n = len(found)
    value = sum(probe.value for probe in found) / n
    low = value - math.hypot(*(probe.value - probe.low for probe in found)) / n
    high = value + math.hypot(*(probe.high - probe.value for probe in found)) / n
    protocol = {
        "classes": n,
        "classes_skipped": skipped,
        "train": sum(probe.protocol["train"] for probe in found),
        "test": sum(probe.protocol["test"] for probe in found),
        "penalties": [probe.protocol["penalty"] for probe in found],
        "chance": sum(chances) / n,
        "interval": "Wilson's of the classes combined, 95 %",
    }
    return Number("subclass_accuracy", value, max(low, 0.0), min(high, 1.0), protocol)


def _probe(name: str, train: Tensor, values: Tensor, test: Tensor, expected: Tensor) -> Number:
    _check(name, train, values, test, expected)
    if len(values.unique()) < 2 or not len(test):
        why = f"the feature {name} needs two values in the train part and one sample in the test part."
        return missing("feature_accuracy", why, feature=name)
    number = linear(train, values, test, expected)
    return replace(
        number,
        name="feature_accuracy",
        protocol={**number.protocol, "feature": name, "values": len(values.unique()), "chance": _chance(values, expected)},
    )


def _chance(train: Tensor, test: Tensor) -> float:
    """The accuracy of answering always with the most frequent train value."""
    return float((test == train.mode().values).double().mean())


def _check(what: str, train: Tensor, values: Tensor, test: Tensor, expected: Tensor) -> None:
    for part, x, y in (("train", train, values), ("test", test, expected)):
        if x.ndim != 2 or y.shape != x.shape[:1]:
            raise TacitError(
                f"The {part} part has embeddings of shape {tuple(x.shape)} and {what} labels of shape {tuple(y.shape)}; "
                "give n × d and n."
            )
