"""The long tail: all of the first class, falling by a constant factor to a share of the last."""

import numpy as np

from tacit.claims.long_tail import long_tailed
from tacit.data.generated import tiny_images


def test_classes_fall_by_a_constant_factor_to_the_share_of_the_last():
    some, train, test = long_tailed(0.125, quick=True)
    whole = np.bincount(tiny_images(320).split("train").labels)
    kept = np.bincount(some.labels)
    assert kept.tolist() == [round(n * 0.125 ** (place / 3)) for place, n in enumerate(whole)]
    assert some.splits is None and len(train) == whole.sum() and len(test) and set(some.ids) <= set(train.ids)
    assert set(long_tailed(0.125, quick=True)[0].ids) == set(some.ids)
