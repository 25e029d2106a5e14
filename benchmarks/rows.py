"""Rows of a benchmark: measured one at a time, each stored when it is done and kept until the code that it times changes.

    MEASURES = {"name": Measure(call, (what it times, …))}
    main(__doc__, "losses.json", MEASURES, versions)

One lock is for all benchmarks, since two timings at once spoil both.
"""

import argparse
import fcntl
import hashlib
import inspect
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import torch

RESULTS = Path(__file__).parent / "results"
Row = dict[str, Any]


class Measure(NamedTuple):
    """What makes a row, and the functions, classes and modules whose change makes it due again."""

    call: Callable[[], Row]
    times: tuple[Callable[..., Any] | type | ModuleType, ...]


def main(about: str | None, file: str, measures: Mapping[str, Measure], versions: Mapping[str, str]) -> None:
    """The command line of a benchmark: `--row NAME …` of its rows, `--again` also those that are there."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", nargs="+", default=list(measures), choices=list(measures), metavar="NAME")
    parser.add_argument("--again", action="store_true", help="measure rows that are there, too")
    given = parser.parse_args()
    place = RESULTS / file
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in given.row:
            rows = json.loads(place.read_text()) if place.exists() else {}
            code = code_of(measures[name])
            if not given.again and rows.get(name, {}).get("code") == code:
                continue
            load = os.getloadavg()[0]
            rows[name] = measures[name].call() | {
                "code": code,
                "load": [round(load, 2), round(os.getloadavg()[0], 2)],
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads",
                "versions": {"torch": torch.__version__, **versions},
                "commit": subprocess.run(
                    ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=RESULTS
                ).stdout.strip(),
            }
            beside = place.with_suffix(".part")
            beside.write_text(json.dumps(rows, indent=1, ensure_ascii=False))
            beside.replace(place)
            print(name, json.dumps(rows[name], ensure_ascii=False), flush=True)


def code_of(measure: Measure) -> str:
    call = getattr(measure.call, "func", measure.call)  # of a partial, what it calls
    texts = [inspect.getsource(part) for part in (call, *measure.times, turns)]
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:12]


def turns(count: int, **rivals: Callable[[], Any]) -> Row:
    """Median seconds of the processor and of the wall of each, and the ratios to the first's; all take turns.

    Processor seconds are of all threads; where other work shares the machine they are what can be compared, on one thread.
    """
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in rivals}
    for _ in range(count):
        for name, call in rivals.items():
            begun = time.process_time(), time.perf_counter()
            call()
            taken[name].append((time.process_time() - begun[0], time.perf_counter() - begun[1]))
    ours, *others = taken
    row: Row = {"turns": count}
    for kind, i in (("seconds of the processor", 0), ("seconds", 1)):
        row[kind] = {name: round(statistics.median(t[i] for t in times), 4) for name, times in taken.items()}
        found = {name: sorted(t[i] / o[i] for t, o in zip(taken[name], taken[ours])) for name in others}
        row[f"ratio by {kind}"] = {
            name: [round(value, 2) for value in (statistics.median(each), each[0], each[-1])] for name, each in found.items()
        }
    return row


def products(n: int, d: int, m: int, kind: torch.dtype, count: float) -> float:
    """Seconds of the processor that so many products of n × d by d × m take on one thread, and nothing else."""
    x, y = torch.randn(n, d).to(kind), torch.randn(m, d).to(kind).T
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    taken = turns(5, products=lambda: [x @ y for _ in range(50)])
    torch.set_num_threads(threads)
    return round(count * taken["seconds of the processor"]["products"] / 50, 4)


def grown(call: Callable[[], Any]) -> float:
    """MiB by which memory grows at the peak of a call; Linux only."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = resident("VmRSS")
    call()
    return round((resident("VmHWM") - before) / 1024, 1)


def resident(what: str) -> int:
    """KiB of this process: VmRSS now, VmHWM at the peak; Linux only."""
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))
