"""A pair (or more) of processes that train together on this machine, kept alive and handed functions to run.

For proofs that N processes equal one, and for short trainings on several devices from Python. On many machines,
use torchrun.
"""

import multiprocessing
import os
import socket
import traceback
from collections.abc import Callable
from typing import Any


class Pair:
    """`with Pair() as pair: results = pair.run(function, *arguments)`; one result per process.

    The function must be importable and its arguments plain (they travel by the standard library's multiprocessing).
    """

    def __init__(self, size: int = 2, threads: int = 1):
        context = multiprocessing.get_context("spawn")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.links, self.members = [], []
        for rank in range(size):
            ours, theirs = context.Pipe()
            member = context.Process(target=_serve, args=(theirs, rank, size, port, threads), daemon=True)
            member.start()
            theirs.close()
            self.links.append(ours)
            self.members.append(member)

    def __enter__(self) -> "Pair":
        return self

    def __exit__(self, *error: object) -> None:
        for link in self.links:
            link.close()
        for member in self.members:
            member.join(timeout=10)
            if member.is_alive():
                member.terminate()

    def run(self, function: Callable[..., Any], *arguments: Any, patience: float = 120.0) -> list[Any]:
        """Run the function in every process at once; the first failure is raised here with its traceback.

        A process that does not answer within `patience` seconds is taken to wait for another that failed.
        """
        for link in self.links:
            link.send((function, arguments))
        answers = {}
        for link in sorted(self.links, key=lambda link: not link.poll(patience)):  # those that answered first
            if not link.poll(0):
                answers[link] = (False, f"a process did not answer within {patience:g} s")
                break
            answers[link] = link.recv()
        failures = [text for ok, text in answers.values() if not ok]
        if failures:
            raise RuntimeError(failures[0])
        return [answers[link][1] for link in self.links]  # by rank, whoever answered first


def _serve(link: Any, rank: int, size: int, port: int, threads: int) -> None:
    import torch
    import torch.distributed as dist

    torch.set_num_threads(threads)
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(size),
        "LOCAL_WORLD_SIZE": str(size),
        "GROUP_RANK": "0",
        "TORCHELASTIC_RUN_ID": "tacit",  # by which Fabric knows that the processes are already there
    }
    dist.init_process_group("gloo", rank=rank, world_size=size)
    while True:
        try:
            function, arguments = link.recv()
        except EOFError:
            break
        try:
            link.send((True, function(*arguments)))
        except Exception:  # whatever it was, it is told to the one who asked
            link.send((False, traceback.format_exc()))
    dist.destroy_process_group()
