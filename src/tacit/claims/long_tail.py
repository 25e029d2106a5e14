"""Images of which most classes are rare, as in what nobody curated."""

import numpy as np

from tacit.data import known
from tacit.data.generated import tiny_images
from tacit.data.samples import Samples
from tacit.numerics import counter


def long_tailed(share: float, quick: bool) -> tuple[Samples, Samples, Samples]:
    """Of CIFAR-10's training part all images of the first class and, falling by a constant factor, `share` of the last; that
    part whole, and the test part, by which a representation is judged."""
    data = tiny_images(320) if quick else known("cifar10-15k")
    train, test = data.split("train"), data.split("test")
    order = counter.permutation(counter.key("claims"), len(train))
    assert train.labels is not None  # by which classes are made rare
    classes = np.unique(train.labels)
    kept = []
    for place, one in enumerate(classes):
        rows = order[train.labels[order] == one]
        kept.append(rows[: max(1, round(len(rows) * share ** (place / (len(classes) - 1))))])
    some = train.take(np.sort(np.concatenate(kept)))
    some.splits = None  # all of them are trained on
    return some, train, test
