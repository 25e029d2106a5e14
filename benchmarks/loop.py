"""Training beside its rivals, step for step: `rivals/bin/python benchmarks/loop.py`.

    python -m venv rivals && rivals/bin/pip install . lightly
    OMP_NUM_THREADS=1 rivals/bin/python benchmarks/loop.py          # all that is missing
    OMP_NUM_THREADS=1 rivals/bin/python benchmarks/loop.py --row "optimiser and average" --again

SimCLR on images of 32 × 32 in an array with a ResNet-18 (timm's), and on JPEG files of 375 × 500 seen at 96 with small_vit. A
rival is the script of lightly's documentation (`SimCLRTransform`, `SimCLRProjectionHead`, `NTXentLoss`, SGD, a DataLoader in
the same process) with tacit's network, batch and parameters of the views; and the same with bfloat16 autocast, and channels
last for the ResNet, switched on by hand. Each is a process that trains an epoch when it is its turn, after one that does not
count; tacit's is all of `tacit.pretrain`: log, signals and saves. It decodes JPEG files once, before the first epoch: that is
not in an epoch's time, and `from JPEG` of benchmarks/views.py tells what it costs.

The rules: 2.7 times the script and 1.05 times the script with both switched on, from arrays; 3.5 and 1.2 times from JPEG;
AdamW 2.7 times torch's default and the average 1.35 times lightly's, both together 3 times.
"""

import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import lightly
import numpy as np
import timm
import torch
from lightly.loss import NTXentLoss
from lightly.models.modules import SimCLRProjectionHead
from lightly.models.utils import update_momentum
from lightly.transforms import SimCLRTransform
from lightly.utils.lars import LARS as LightlyLARS
from PIL import Image
from rows import Measure, Row, main, turns
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

import tacit
from tacit.data.samples import Images
from tacit.encoders.image import SmallViT
from tacit.method import Facts, Method
from tacit.methods.contrast.simclr import SimCLR
from tacit.training import loop, optimizers, precision, streams
from tacit.training.averaging import Average
from tacit.views import Program, compiled, modality
from tacit.views.kinds import Pair

TURNS = 5
BATCH = 128
STEPS = {False: 16, True: 8}  # of an epoch, which is a turn: from arrays, from JPEG; signals are looked at once in each
NAMES = ("tacit", "lightly", "lightly, bf16 and channels last")


class Turn:
    """Called between epochs: tells what the last one took, and waits until it is this process's turn again."""

    def __init__(self, pipe: Connection):
        self.pipe, self.begun = pipe, (0.0, 0.0)

    def __call__(self) -> None:
        now = time.process_time(), time.perf_counter()
        self.pipe.send([later - before for later, before in zip(now, self.begun)])
        self.pipe.recv()
        self.begun = time.process_time(), time.perf_counter()


class Timed(Method):
    """SimCLR that takes turns."""

    paper, views, whole_batch, recipe, step = SimCLR.paper, SimCLR.views, True, SimCLR.recipe, SimCLR.step
    turn: Turn

    def __init__(self, encoder: Any):
        super().__init__(encoder)
        self.projector, self.temperature = SimCLR(encoder).projector, 0.1

    def before_epoch(self, embed: Callable[..., Tensor]) -> None:
        Timed.turn()


def ours(pipe: Connection, source: Any, jpeg: bool) -> None:
    """A run of tacit."""
    Timed.turn = Turn(pipe)
    torch.set_num_threads(1)
    options = {"optimizer": "sgd", "lr": 0.06, "batch": BATCH, "epochs": TURNS + 2, "warmup": 0, "clip": 0}
    encoder, size = ("small_vit", 96) if jpeg else ("timm/resnet18", 32)
    options |= {} if jpeg else {"small_stem": "no"}  # the stem that the rival's ResNet has
    with tempfile.TemporaryDirectory() as folder:
        tacit.pretrain(source, Timed, out=Path(folder, "run"), encoder=encoder, size=size, quiet=True, **options)


class Pictures(Dataset):
    """An array, or files, as PIL images through a transform."""

    def __init__(self, source: Any, look: Callable[[Any], list[Tensor]]):
        self.source, self.look = source if isinstance(source, np.ndarray) else sorted(Path(source).iterdir()), look

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, i: int) -> list[Tensor]:
        one = self.source[i]
        return self.look(Image.open(one).convert("RGB") if isinstance(one, Path) else Image.fromarray(one))


def network(jpeg: bool) -> nn.Module:
    return SmallViT(Facts("image", 0, (3, 96, 96), {})) if jpeg else timm.create_model("resnet18", num_classes=0)


def theirs(pipe: Connection, source: Any, jpeg: bool, by_hand: bool) -> None:
    """lightly's script."""
    turn = Turn(pipe)
    torch.set_num_threads(1)
    look = SimCLRTransform(96) if jpeg else SimCLRTransform(32, cj_strength=0.5, min_scale=0.2, gaussian_blur=0.0)
    loader = DataLoader(Pictures(source, look), batch_size=BATCH, shuffle=True, drop_last=True)
    encoder = network(jpeg)
    width = 192 if jpeg else 512
    model = nn.Sequential(encoder, SimCLRProjectionHead(width, width, 128))
    if by_hand and not jpeg:
        model = model.to(memory_format=torch.channels_last)
    criterion, optimizer = NTXentLoss(), torch.optim.SGD(model.parameters(), lr=0.06, momentum=0.9)
    for _ in range(TURNS + 2):
        turn()
        total: Any = 0
        for views in loader:
            x0, x1 = (v.to(memory_format=torch.channels_last) if by_hand and not jpeg else v for v in views)
            with torch.autocast("cpu", torch.bfloat16, enabled=by_hand):
                loss = criterion(model(x0), model(x1))
            total += loss.detach()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()


def training(jpeg: bool) -> Row:
    torch.set_num_threads(1)
    n = BATCH * STEPS[jpeg]
    arrays = np.random.default_rng(0).integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
    arrays = np.stack([np.asarray(Image.fromarray(a).resize((500, 375) if jpeg else (32, 32), Image.BICUBIC)) for a in arrays])
    with tempfile.TemporaryDirectory() as place:
        for i, array in enumerate(arrays if jpeg else ()):
            Image.fromarray(array).save(Path(place, f"{i}.jpg"), quality=90)
        source = place if jpeg else arrays
        spawn, pipes, processes = multiprocessing.get_context("spawn"), {}, []
        for name in NAMES:
            pipes[name], end = spawn.Pipe()
            given = (end, source, jpeg) if name == "tacit" else (end, source, jpeg, name != "lightly")
            processes.append(spawn.Process(target=ours if name == "tacit" else theirs, args=given, daemon=True))
            processes[-1].start()
            end.close()  # so that a process that ends in an error is an EOFError here
            pipes[name].recv()  # what came before the first epoch
        taken: dict[str, list[list[float]]] = {name: [] for name in NAMES}
        for _ in range(TURNS + 1):  # the first does not count: what is compiled and loaded at first use
            for name, pipe in pipes.items():
                pipe.send("go")
                taken[name].append(pipe.recv())
        for process in processes:
            process.kill()
    row: Row = {"turns": TURNS, "samples of a turn": n}
    for i, by in enumerate(("seconds of the processor", "seconds")):
        row[by] = {name: round(statistics.median(t[i] for t in times[1:]), 3) for name, times in taken.items()}
        ratios = {name: sorted(t[i] / o[i] for t, o in zip(taken[name][1:], taken["tacit"][1:])) for name in NAMES[1:]}
        row[f"ratio by {by}"] = {k: [round(v, 2) for v in (statistics.median(r), r[0], r[-1])] for k, r in ratios.items()}
    return row | spent(source if not jpeg else arrays, jpeg, row["seconds of the processor"]["tacit"])


def spent(arrays: np.ndarray, jpeg: bool, whole: float) -> Row:
    """Where tacit's seconds of a turn go, and what share of the machine's products of matrices the network reaches."""
    size = 96 if jpeg else 32
    seen = np.stack([np.asarray(Image.fromarray(a).resize((147, 110))) for a in arrays]) if jpeg else arrays
    program = Program(Pair(), modality("image").fit({"size": size, "mean": (0.5,) * 3, "std": (0.25,) * 3}))
    content = Images(torch.from_numpy(seen[:BATCH]), torch.tensor([seen.shape[1:3]] * BATCH))
    views, _ = program(content, np.arange(BATCH), 0)
    model = SimCLR(type("", (nn.Sequential,), {"dim": 192 if jpeg else 512})(network(jpeg)))
    optimizer = torch.optim.SGD(model.parameters(), 0.06, 0.9)
    bf16 = torch.autocast("cpu", torch.bfloat16, enabled=precision.native_bf16("cpu"))

    def back() -> None:
        optimizer.zero_grad()
        with bf16:
            z = [model.projector(model.encoder(view)) for view in views]
        torch.cat(z).float().square().mean().backward()

    back()
    with FlopCounterMode(display=False) as counted:
        back()
    a = torch.randn(2048, 2048).to(torch.bfloat16 if bf16._enabled else torch.float32)
    named = {"views": lambda: program(content, np.arange(BATCH), 1), "network": back, "optimiser": optimizer.step}
    found = turns(3, **named, product=lambda: a @ a)["seconds of the processor"]
    shares = {name: round(STEPS[jpeg] * found[name] / whole, 2) for name in named}
    flops = counted.get_total_flops() / found["network"]
    return {"share of a turn": shares, "of the peak of products": round(flops * found["product"] / (2 * 2048**3), 2)}


def optimiser(name: str) -> Row:
    """A step of AdamW and LARS, and the average of the weights, for a network's parameters."""
    torch.set_num_threads(1)
    rows = {}
    model = timm.create_model(name, num_classes=0)

    model.dim = model.num_features
    method, teacher = SimCLR(model), timm.create_model(name, num_classes=0)
    method.projector = nn.Identity()
    for parameter in method.parameters():
        parameter.grad = torch.randn_like(parameter) * 1e-3
    average = Average(method, 0.99)
    named: dict[str, Any] = {}
    for kind in ("adamw", "lars"):
        own = optimizers.build(method, SimCLR.recipe.but(optimizer=kind, lr=1e-4))
        own.step()
        if kind == "adamw":
            other: torch.optim.Optimizer = torch.optim.AdamW(model.parameters(), 1e-4)
        else:  # lightly's adapts to what decays, tacit's to what is no norm and no bias, which decays
            large, small = ([p for p in model.parameters() if (p.ndim > 1) is is_large] for is_large in (True, False))
            decaying = {"params": large, "weight_decay": SimCLR.recipe.weight_decay}
            other = LightlyLARS([decaying, {"params": small}], 1e-4, 0.9)
        other.step()
        named[kind] = own.step, other.step
    named["average"] = average.update, lambda: update_momentum(model, teacher, 0.99)
    named["both"] = (
        lambda: (named["adamw"][0](), average.update()),
        lambda: (named["adamw"][1](), update_momentum(model, teacher, 0.99)),
    )
    for kind, (mine, other) in named.items():
        rows[kind] = turns(3 * TURNS, tacit=mine, rival=other)
    by = "seconds of the processor"
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        by: {kind: row[by]["tacit"] for kind, row in rows.items()},
        f"ratio by {by}": {kind: row[f"ratio by {by}"]["rival"] for kind, row in rows.items()},
    }


TIMED = (loop, streams, compiled, SimCLR, Timed, ours, theirs, network, training)
MEASURES = {
    "SimCLR, ResNet-18 at 32, from an array": Measure(lambda: training(False), TIMED),
    "SimCLR, small ViT at 96, from JPEG": Measure(lambda: training(True), TIMED),
    "optimiser and average, ViT-S": Measure(lambda: optimiser("vit_small_patch16_224"), (optimizers, Average, optimiser)),
    "optimiser and average, ResNet-50": Measure(lambda: optimiser("resnet50"), (optimizers, Average, optimiser)),
}

if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    main(__doc__, "loop.json", MEASURES, {"lightly": lightly.__version__, "timm": timm.__version__})
