"""A few that are unlike one another, of many."""

import numpy as np


def most_diverse(kernel: np.ndarray, count: int) -> list[int]:
    """Greedy maximum a posteriori of a determinantal point process: the positions of `count` items, by a p × p kernel.

    Chen, Zhang, Zhou 2018 (arXiv:1709.05135), algorithm 1: each next item is the one that adds most to the determinant of
    the chosen ones' kernel, found from an incremental Cholesky factor. Of equal ones the first; fewer where none adds anything.
    """
    gains = np.diag(kernel).astype(np.float64).copy()
    rows = np.zeros((count, len(kernel)))
    chosen: list[int] = []
    while len(chosen) < count and gains.max() > 1e-10:
        best = int(gains.argmax())
        done = len(chosen)
        rows[done] = (kernel[best] - rows[:done, best] @ rows[:done]) / np.sqrt(gains[best])
        gains -= rows[done] ** 2
        gains[best] = -np.inf
        chosen.append(best)
    return chosen
