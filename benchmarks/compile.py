"""Whether torch.compile would pay for an encoder on a core: `python benchmarks/compile.py`.

    OMP_NUM_THREADS=1 python benchmarks/compile.py

Forward and backward of 64 images in bfloat16 and channels-last, as they are and compiled, in turns. The rule by which tacit
would offer it: 1.2 times as fast, so that a training of minutes earns what compiling takes.
"""

import os
import tempfile
import time
from functools import partial

import torch
from rows import Measure, Row, main, turns
from torch import nn

from tacit import encoders
from tacit.method import Facts

STEPS = 3


def beside(name: str) -> Row:
    facts = Facts("image", 1000, (3, 32, 32), {"size": 32, "mean": [0.0] * 3, "std": [1.0] * 3})
    encoder = encoders.factory(name, facts, 0)().to(memory_format=torch.channels_last).train()
    images = torch.randn(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    images = images.contiguous(memory_format=torch.channels_last)

    def steps(module: nn.Module) -> None:
        for _ in range(STEPS):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = module(images).float().square().mean()
            loss.backward()

    with tempfile.TemporaryDirectory() as folder:  # nothing is compiled yet
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
        compiled, began = torch.compile(encoder), time.monotonic()
        steps(compiled)
        spent = time.monotonic() - began
        row = turns(5, compiled=partial(steps, compiled), eager=partial(steps, encoder))
    return row | {"n": {"images": 64, "steps": STEPS}, "seconds to compile": round(spent, 1)}


MEASURES = {name: Measure(partial(beside, name), (encoders,)) for name in ("small_resnet", "small_vit")}

if __name__ == "__main__":
    main(__doc__, "compile.json", MEASURES, {})
