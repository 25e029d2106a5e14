"""What every kind of Samples does alike when some of its samples are taken."""

from typing import Any

import numpy as np

from tacit.data.samples import Samples


def selected(samples: Samples, index: np.ndarray) -> dict[str, Any]:
    """The ids, labels and splits at these positions, as fields for `dataclasses.replace`."""
    return {
        "ids": [samples.ids[position] for position in index],
        "labels": None if samples.labels is None else samples.labels[index],
        "splits": None if samples.splits is None else samples.splits[index],
    }
