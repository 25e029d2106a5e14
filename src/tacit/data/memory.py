"""How much memory there is to fill."""

import os
from pathlib import Path

CAUTIOUS = 4 * 2**30  # bytes, where the system does not say


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
