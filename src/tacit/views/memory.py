"""Memory that is used again: the system clears fresh pages at their first touch, which would be paid in every step."""

import math
import weakref
from collections import defaultdict

import numpy as np
import torch
from torch import Tensor

KEPT = 2**30  # bytes that wait to be used again, at most


class Reused:
    """Tensors whose memory comes back when nothing holds it any more, and serves the next of equal size; of any thread."""

    def __init__(self) -> None:
        self.waiting: defaultdict[int, list[np.ndarray]] = defaultdict(list)  # by how many values

    def empty(self, *shape: int) -> Tensor:
        """As torch.empty, float32, on the processor."""
        count = math.prod(shape)
        try:
            memory = self.waiting[count].pop()
        except IndexError:
            memory = np.empty(count, np.float32)
        lent = memory.reshape(shape)  # held by the tensor's storage, hence by whatever shares it, an autograd graph too
        weakref.finalize(lent, self._back, memory).atexit = False
        return torch.from_numpy(lent)

    def _back(self, memory: np.ndarray) -> None:
        self.waiting[len(memory)].append(memory)
        for size in list(self.waiting):  # those first met go first
            if sum(4 * count * len(those) for count, those in list(self.waiting.items())) <= KEPT:
                return
            self.waiting.pop(size, None)
