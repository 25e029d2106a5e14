"""How much memory there is to fill, and what is kept on disk so that none of it is."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

CAUTIOUS = 4 * 2**30  # bytes, where the system does not say
DISK = 0.5  # of what is free where temporary files lie, that one process of a machine may fill


class Spill:
    """Values written one after another into a temporary file without a name: gone when nobody looks at them any more.

    What is mapped of it takes memory as long as there is some to spare, and no longer.
    """

    def __init__(self, kind: Any, share: float = DISK):
        self.kind, self.count, self.full = np.dtype(kind), 0, False
        self.most = int(share * shutil.disk_usage(tempfile.gettempdir()).free)
        self.file = tempfile.TemporaryFile()  # noqa: SIM115  # `mapped` closes it

    def add(self, values: np.ndarray) -> None:
        """Write n values, unless these or some before them found no room."""
        self.full |= (self.count + values.size) * self.kind.itemsize > self.most
        if self.full:
            return
        try:
            self.file.write(np.ascontiguousarray(values, self.kind).data)
            self.count += values.size
        except OSError:  # the disk was filled by others meanwhile
            self.full = True

    def mapped(self) -> np.ndarray | None:
        """All values, read-only; None where there was no room for some."""
        with self.file:
            if self.full:
                return None
            return mapped(self.file, self.kind, (self.count,))


def mapped(file: BinaryIO, kind: Any, shape: tuple[int, ...]) -> np.ndarray:
    """What was written into a file, read-only; it may be closed, and without a name, from then on."""
    if 0 in shape:
        return np.empty(shape, kind)
    file.flush()
    return np.memmap(file, kind, "r", shape=shape)  # type: ignore[call-overload]


def free_memory() -> int:
    """Bytes that can be had without swapping: of the machine, or of the container where that allows less."""
    free = [_of_the_machine()]
    limit, used = (Path("/sys/fs/cgroup", name) for name in ("memory.max", "memory.current"))
    if limit.exists() and used.exists() and (most := limit.read_text().strip()).isdigit():
        free.append(max(int(most) - int(used.read_text()), 0))
    return min(free)


def _of_the_machine() -> int:
    table = Path("/proc/meminfo")
    if table.exists():
        lines = dict(line.split(":", 1) for line in table.read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4
    return CAUTIOUS
