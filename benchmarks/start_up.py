"""How long `tacit --help` and `import tacit` take over bare Python: `python benchmarks/start_up.py [OUT.json]`.

Each number is the median of fresh processes, in seconds, taken in turn with bare Python so that both meet the same
machine. Promised: `tacit --help` at most 0.3 s and `import tacit` at most 0.2 s over bare Python, neither with torch; and
from the start to the first step of a training at most 3 s over importing torch, timm and Fabric.
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
FRAMEWORKS = "import torch, timm, lightning_fabric"
FIRST_STEP = """
import os, tempfile, numpy, tacit
from tacit.method import Method
from tacit.methods.contrast.simclr import SimCLR
class Once(Method):
    views, recipe, step = SimCLR.views, SimCLR.recipe, SimCLR.step
    def __init__(self, encoder):
        super().__init__(encoder)
        self.projector, self.temperature = SimCLR(encoder).projector, 0.1
    def after_step(self, batch):
        os._exit(0)
images = numpy.random.default_rng(0).integers(0, 256, (512, 32, 32, 3), dtype="uint8")
with tempfile.TemporaryDirectory() as place:
    tacit.pretrain(images, Once, out=place + "/run", batch=256, epochs=1, quiet=True)
"""
TO_FIRST_STEP = 3.0


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
    trained: dict[str, list[float]] = {FRAMEWORKS: [], FIRST_STEP: []}
    for _ in range(ROUNDS // 3 + 1):
        for program in trained:
            trained[program].append(seconds(program))
    frameworks, first = (median(times[1:]) for times in trained.values())
    found["first step"] = {
        "seconds": round(first, 4),
        "over_frameworks": round(first - frameworks, 4),
        "limit": TO_FIRST_STEP,
        "holds": first - frameworks <= TO_FIRST_STEP,
    }
    machine = {"python": platform.python_version(), "processor": platform.processor() or platform.machine()}
    report = {"rounds": ROUNDS, "bare": round(bare, 4), **found, "machine": machine, "cyclopts": version("cyclopts")}
    text = json.dumps(report, indent=2)
    print(text)
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text + "\n")


if __name__ == "__main__":
    main()
