"""What a step of each family computes and sends, as docs/scaling.md needs it: `python benchmarks/scaling.py`.

Two processes of this machine take one step of each method at its paper's encoder and size; what is counted is operations
(forward, backward, teacher), calls of the collectives in the step, in its backward and in what follows it, the bytes that go
into each, and the gradients that are averaged. Counts, not seconds: they are the same on every machine.
"""

import inspect
from functools import partial
from typing import Any

import timm
import torch
import torch.distributed as dist
from rows import Measure, Row, main
from torch.utils.flop_counter import FlopCounterMode

from tacit.encoders import build
from tacit.method import Batch, Facts, Method
from tacit.methods.contrast.moco_v2 import MoCoV2
from tacit.methods.contrast.simclr import SimCLR
from tacit.methods.masked.mae import MAE
from tacit.methods.self_distillation.dino import DINO
from tacit.numerics import processes
from tacit.training import distributed, shared_norms
from tacit.training.spawned import Pair

SAMPLES = 2  # of each process
FAMILIES: dict[str, tuple[type[Method], str, tuple[int, ...]]] = {  # with the sides of its views
    "two views, gathered": (SimCLR, "timm/resnet50", (224, 224)),
    "queue": (MoCoV2, "timm/resnet50", (224, 224)),
    "self-distillation": (DINO, "timm/vit_small_patch16_224", (224, 224, *[96] * 6)),
    "masked": (MAE, "timm/vit_base_patch16_224", (224,)),
}
CALLS = ("all_reduce", "all_gather")


def step(family: str) -> dict[str, Any]:
    """One step of this process, and what it computed and sent."""
    cls, encoder, sides = FAMILIES[family]
    torch.manual_seed(0)
    facts = Facts("image", 1_000_000, (3, 224, 224), {})
    method = cls(build(encoder, facts))
    method.prepare(facts)
    shared_norms.share_norms(method)
    params: list[dict[str, torch.Tensor]] = [{} for _ in sides]
    if cls is MAE:
        order = torch.rand(SAMPLES, 196).argsort(1)
        params = [{"keep": order[:, :49], "mask": torch.ones(SAMPLES, 196, dtype=torch.bool).scatter(1, order[:, :49], False)}]
    batch = Batch([torch.randn(SAMPLES, 3, side, side) for side in sides], torch.arange(SAMPLES), params=params)
    sent: dict[str, list[int]] = {name: [] for name in CALLS}
    real = {name: getattr(dist, name) for name in CALLS}

    def watched(name: str, *given: Any, **more: Any) -> Any:
        mine = given[1] if name == "all_gather" else given[0]
        sent[name].append(mine.numel() * mine.element_size())
        return real[name](*given, **more)

    for name in CALLS:
        setattr(dist, name, partial(watched, name))
    with FlopCounterMode(display=False) as counted:
        loss = method.step(batch)
        forward = {name: len(calls) for name, calls in sent.items()}
        loss.backward()
    with torch.no_grad():
        method.after_step(distributed.join([batch]))
    for name in CALLS:
        setattr(dist, name, real[name])
    return {
        "GFLOP of a sample": round(counted.get_total_flops() / SAMPLES / 1e9, 2),
        "MB of gradients": round(sum(p.grad.numel() * 4 for p in method.parameters() if p.grad is not None) / 1e6, 1),
        "exchanges": {name: {"forward": forward[name], "in all": len(calls)} for name, calls in sent.items()},
        "kB sent": {name: round(sum(calls) / 1e3, 1) for name, calls in sent.items()},
    }


def measured(family: str) -> Row:
    with Pair() as pair:
        first, _ = pair.run(step, family, patience=900)
    cls, encoder, sides = FAMILIES[family]
    return {"method": cls.__name__, "encoder": encoder, "views": list(sides), "samples of a process": SAMPLES} | first


MEASURES = {
    family: Measure(
        partial(measured, family), (step, FAMILIES[family][0], processes, inspect.getmodule(shared_norms.share_norms))
    )
    for family in FAMILIES
}

if __name__ == "__main__":
    main(__doc__, "scaling.json", MEASURES, {"timm": timm.__version__})
