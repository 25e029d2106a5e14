"""Where a training runs: on one device, on several of a machine, or in the processes that torchrun or SLURM has started."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import SLURMEnvironment
from lightning_fabric.strategies import DDPStrategy

from tacit.errors import TacitError, unknown
from tacit.numerics import counter, processes
from tacit.training import precision

PATIENCE = timedelta(minutes=10)  # that a process waits for the others before it takes them for lost


class Places(NamedTuple):
    """Machines, and devices on each: one process a device."""

    devices: int
    nodes: int


ALONE = Places(1, 1)
STRATEGIES = ("ddp", "fsdp")  # every process holds everything; encoders are sharded


def places(devices: int | None, nodes: int | None, usual: Places = ALONE) -> Places:
    """What torchrun or SLURM has started; else what was asked for, else the usual. Both must say the same."""
    asked = {"devices": devices, "nodes": nodes}
    for name, value in asked.items():
        if value is not None and value < 1:
            raise TacitError(f"--{name} is {value}; give 1 or more.")
    if "LOCAL_WORLD_SIZE" in os.environ:
        who, here = "torchrun", (int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["WORLD_SIZE"]))
    elif SLURMEnvironment.detect():
        tasks = int(os.environ["SLURM_NTASKS"])
        who, here = "SLURM", (max(tasks // int(os.environ.get("SLURM_NNODES", 1)), 1), tasks)
    else:
        return Places(devices or usual.devices, nodes or usual.nodes)
    if here[1] % here[0]:
        raise TacitError(f"{who} started {here[1]} processes, {here[0]} of them here; start as many on every machine.")
    started = Places(here[0], here[1] // here[0])
    for name, value in asked.items():
        if value not in (None, getattr(started, name)):
            raise TacitError(f"--{name} is {value} and {who} started {getattr(started, name)}; leave it out.")
    return started


def known(asked: str | None, here: Places, usual: str = "ddp") -> str:
    """The strategy that was asked for, else the usual one."""
    if asked not in (None, *STRATEGIES):
        raise unknown("strategy", asked, STRATEGIES)
    if asked == "fsdp" and here.devices * here.nodes == 1:
        raise TacitError("--strategy fsdp shares encoders out over several devices and here is one; give --devices 2 or more.")
    return asked or usual


def first() -> bool:
    """Whether this process is the first of all; may be asked before they have met."""
    if "RANK" in os.environ:
        return os.environ["RANK"] == "0"
    if SLURMEnvironment.detect():
        return os.environ["SLURM_PROCID"] == "0"
    return all(os.environ.get(name, "0") == "0" for name in ("LOCAL_RANK", "NODE_RANK"))


def start(device: str, precise: str, usual: Places) -> Fabric:
    """Fabric in all processes; those of this machine are started where nobody has."""
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # what was chosen, we say ourselves
    here = places(None, None, usual)
    # buffers are moved alike by `after_step`
    many = DDPStrategy(find_unused_parameters=True, forward_sync_buffers=False, timeout=PATIENCE)
    strategy: Any = many if here.devices * here.nodes > 1 else "auto"
    fabric = Fabric(
        accelerator=device,
        devices=here.devices,
        num_nodes=here.nodes,
        strategy=strategy,
        precision=precision.PRECISIONS[precise],
    )
    fabric.launch()
    return fabric


def agree(what: str, value: int | str, device: torch.device) -> None:
    """Refuse to train in processes that differ in what must be alike in all."""
    if processes.size() > 1:
        keys = processes.gather(torch.tensor([counter.key(value) % 2**63], device=device)).tolist()
        other = next((rank for rank, key in enumerate(keys) if key != keys[0]), 0)
        if other:
            raise TacitError(
                f"Process {other} has other {what} than process 0; give all machines the same data and the same --out folder."
            )


def agreed(here: bool, device: torch.device) -> bool:
    """Whether any process says so."""
    return here if processes.size() == 1 else bool(processes.total(torch.tensor(float(here), device=device)) > 0)


@contextmanager
def together() -> Iterator[None]:
    """Turn what ends one of several processes into one sentence: another's end, or memory."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        here = f"Process {processes.rank()} of {processes.size()}"
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            raise TacitError(
                f"{here} ran out of memory; give a smaller --batch, or --chunk, by which the encoder sees the same batch in "
                "parts. What was saved is whole."
            ) from error
        if processes.size() > 1 and _lost(error):
            raise TacitError(
                f"{here} lost the others: one has ended, or did not answer for {PATIENCE.total_seconds() / 60:g} minutes. "
                "What was saved is whole: start again with --resume, on as many processes or others."
            ) from error
        raise


def _lost(error: BaseException) -> bool:
    """Whether it says that another process is gone; gloo says so in words alone."""
    return isinstance(error, dist.DistError) or any(word in str(error) for word in ("gloo", "NCCL", "Connection reset"))
