"""Vectors in which a class, a subclass and something irrelevant lie side by side, each as strong as asked for.

For measuring what a training suppresses: which of the features that the data has are still in the representation.
"""

import numpy as np

from tacit.data.samples import Samples
from tacit.data.vectors import VectorArrays
from tacit.errors import TacitError
from tacit.numerics import counter

SOURCE = "generated mixed features"
FEATURES = ("class", "subclass", "irrelevant")


def mixed(
    n: int,
    seed: int = 0,
    *,
    dim: int = 64,
    values: tuple[int, int, int] = (4, 2, 8),
    strengths: tuple[float, float, float] = (3.0, 2.0, 12.0),
    noise: float = 1.0,
) -> VectorArrays:
    """n vectors of `dim` numbers, each with a class, a subclass inside its class and an irrelevant value, drawn independently.

    The model of Xue et al. 2023 (Which Features are Learnt by Contrastive Learning?), in short: each feature adds
    a vector of its value, of the length that `strengths` names, in a quarter of the dimensions of its own, and noise of this
    standard deviation lies on all, the last quarter included; then everything is turned by one random rotation, so that
    no column is a feature. A subclass adds another vector in every class. By default the irrelevant feature is easy (long)
    and the class is hard (short); a strength of 0 takes a feature out of the data. Differs: `values` may be more than two.

    A label names all three, as "1/0/5" in `classes`; `told` takes them apart. Sample i is a function of (seed, i) and the
    options alone: a larger set begins with the smaller one. Every fifth is for testing.
    """
    if dim < 8 or dim % 4 or min(values) < 1 or min(strengths) < 0 or noise < 0:
        raise TacitError(
            f"Mixed features got dim {dim}, values {values}, strengths {strengths} and noise {noise}; dim must be a "
            "multiple of 4 from 8 on, values count from 1, strengths and noise from 0."
        )
    key, rows, quarter = counter.key(seed, "mixed"), np.arange(n), dim // 4
    draws = counter.uniform(counter.key(key, "values"), rows, len(FEATURES))
    chosen = np.minimum((draws * values).astype(np.int64), np.array(values) - 1)
    places = (chosen[:, 0], chosen[:, 0] * values[1] + chosen[:, 1], chosen[:, 2])  # of each feature's vector in its table
    sizes = (values[0], values[0] * values[1], values[2])
    vectors = noise * counter.normal(counter.key(key, "noise"), rows, dim)
    for block, (name, place, size, strength) in enumerate(zip(FEATURES, places, sizes, strengths)):
        table = counter.normal(counter.key(key, name), np.arange(size), quarter)
        table /= np.linalg.norm(table, axis=1, keepdims=True)
        vectors[:, block * quarter : (block + 1) * quarter] += strength * table[place]
    turn, _ = np.linalg.qr(counter.normal(counter.key(key, "turn"), np.arange(dim), dim).astype(np.float64))
    labels = (chosen[:, 0] * values[1] + chosen[:, 1]) * values[2] + chosen[:, 2]
    names = tuple(f"{c}/{s}/{i}" for c in range(values[0]) for s in range(values[1]) for i in range(values[2]))
    splits = np.where(rows % 5 == 4, "test", "train")
    ids = [f"{split}/{row:05d}" for split, row in zip(splits, rows)]
    turned = (vectors.astype(np.float64) @ turn).astype(np.float32)
    return VectorArrays(SOURCE, turned, rows, ids, labels, names, splits)


def told(samples: Samples) -> dict[str, np.ndarray]:
    """The class, subclass and irrelevant value of each sample of `mixed`, or of some of them: int64, n each."""
    if samples.labels is None or samples.source != SOURCE:
        raise TacitError(f"{samples.source} is no set of mixed features; give one that `mixed` made.")
    parts = np.array([name.split("/") for name in samples.classes], dtype=np.int64)
    return {name: parts[samples.labels, column] for column, name in enumerate(FEATURES)}
