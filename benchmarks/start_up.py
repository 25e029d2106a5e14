"""How long `tacit --help` and `import tacit` take over bare Python: `python benchmarks/start_up.py [OUT.json]`.

Each number is the median of fresh processes, in seconds, taken in turn with bare Python so that both meet the same
machine. Promised: `tacit --help` at most 0.3 s and `import tacit` at most 0.2 s over bare Python, neither with torch.
"""

import json
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter

ROUNDS = 15
PROGRAMS = {
    "bare": "pass",
    "import tacit": "import tacit",
    "tacit --help": "from tacit.cli import main; main(['--help'])",
}
LIMITS = {"import tacit": 0.2, "tacit --help": 0.3}


def seconds(program: str) -> float:
    start = perf_counter()
    subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL, check=True)
    return perf_counter() - start


def imports_torch(program: str) -> bool:
    watched = f"import atexit, sys; atexit.register(lambda: sys.stderr.write(str('torch' in sys.modules))); {program}"
    done = subprocess.run([sys.executable, "-c", watched], capture_output=True, text=True, check=True)
    return done.stderr == "True"


def main() -> None:
    taken: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(ROUNDS + 1):
        for name, program in PROGRAMS.items():
            taken[name].append(seconds(program))
    bare = median(taken["bare"][1:])  # the first round fills the caches
    found = {
        name: {
            "seconds": round(median(taken[name][1:]), 4),
            "over_bare": round(median(taken[name][1:]) - bare, 4),
            "limit": limit,
            "holds": median(taken[name][1:]) - bare <= limit,
            "imports_torch": imports_torch(PROGRAMS[name]),
        }
        for name, limit in LIMITS.items()
    }
    machine = {"python": platform.python_version(), "processor": platform.processor() or platform.machine()}
    report = {"rounds": ROUNDS, "bare": round(bare, 4), **found, "machine": machine, "cyclopts": version("cyclopts")}
    text = json.dumps(report, indent=2)
    print(text)
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text + "\n")


if __name__ == "__main__":
    main()
