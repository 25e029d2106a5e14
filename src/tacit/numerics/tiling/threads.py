"""Pieces of work that do not touch one another, each on one thread and in its cache, as many at once as torch has threads.

Where the threads of every operation share its rows instead, they wait for one another after each, which on a busy machine
costs more than the operation.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch

Each = Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]]


@contextmanager
def workers(device: torch.device) -> Iterator[Each]:
    """A function that calls another with each of some pieces, without gradients, and waits: results in the pieces' order.

    On other devices than a CPU, whose operations share its cores anyway, one after the other.
    """
    threads = torch.get_num_threads() if device.type == "cpu" else 1
    if threads == 1:
        yield lambda call, pieces: [_quietly(call, piece) for piece in pieces]
        return
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield lambda call, pieces: list(pool.map(lambda piece: _quietly(call, piece), pieces))
    finally:
        torch.set_num_threads(threads)  # each thread has its own number, but new ones begin with the last that was set


def _quietly(call: Callable[[Any], Any], piece: Any) -> Any:
    with torch.inference_mode():
        return call(piece)
