"""A stream of samples whose content is their number: what came where is read off the views."""

import numpy as np
import torch

from tacit.data.samples import Samples, Vectors
from tacit.numerics import counter
from tacit.training.streams import Source, Stream

CPU = torch.device("cpu")


class Numbers(Samples):
    """Sample i is the number i, three times; the positions in `gone` cannot be read."""

    kind, source = "vector", "numbers"

    def __init__(self, n, labels=False, gone=()):
        self.ids = [str(i) for i in range(n)]
        self.labels = np.arange(n) % 2 if labels else None
        self.gone = set(gone)

    def read(self, index):
        bad = {int(i): "it is gone" for i in index if i in self.gone}
        return Vectors(torch.tensor(index, dtype=torch.float32)[:, None].repeat(1, 3)), bad


def plainly(content, index, key, partner=None):
    """Views that show what came: a sample's own content, its partner's, and noise by counter."""
    noise = torch.from_numpy(counter.uniform(key, index, 1))
    return [content.values, (partner or content).values, noise], [{}, {}, {}]


plainly.seen = ()


def numbers(n=50, batch=8, key=1, **options):
    samples = Numbers(n, **{name: options.pop(name) for name in ("labels", "gone") if name in options})
    return Stream(options.pop("name", "main"), Source(samples, plainly, plainly), batch, key, CPU, **options)
