"""Gradient caching: memory and time of a batch of 4 096 in chunks of 256 beside the whole, and what norms over chunks change.

    OMP_NUM_THREADS=1 python benchmarks/chunks.py        # all that is missing

A step of SimCLR, forward and backward, on images of 32 pixels. The rule: gradients within 1e-5 of the whole batch's in float32,
the memory at the peak at most a quarter. Whole and chunks take turns in one process.
"""

from collections.abc import Callable

import torch
from rows import Measure, Row, grown, main, turns
from torch import Tensor, nn

from tacit.encoders.image import SmallResNet, SmallViT
from tacit.method import Batch, Facts
from tacit.methods.contrast.simclr import SimCLR
from tacit.training import chunks
from tacit.training.chunks import chunked

FACTS = Facts("image", 4096, (3, 32, 32))


def step(method: SimCLR, batch: Batch, rows: int) -> Tensor:
    """The gradient of a step by all parameters of the encoder, in one row."""
    method.zero_grad(set_to_none=True)
    with chunked(method, rows):
        method.step(batch).backward()
    return torch.cat([p.grad.flatten() for p in method.encoder.parameters() if p.grad is not None])


def of(encoder: Callable[[], nn.Module], n: int) -> tuple[SimCLR, Batch]:
    """SimCLR on a fresh encoder, and two looks at n images."""
    torch.manual_seed(0)
    method = SimCLR(encoder())
    images = torch.rand(n, 3, 32, 32)
    return method, Batch([images + 0.2 * torch.randn_like(images) for _ in range(2)], torch.arange(n))


def off(found: Tensor, right: Tensor) -> dict[str, float]:
    cosine = torch.nn.functional.cosine_similarity(found, right, dim=0)
    return {"relative": float((found - right).norm() / right.norm()), "cosine": round(float(cosine), 6)}


def memory() -> Row:
    method, batch = of(lambda: SmallViT(FACTS, patch=8, width=32, depth=2, heads=2), 4096)
    step(method, Batch([view[:64] for view in batch], torch.arange(64)), 32)  # what is loaded at first use
    ways = {"chunks of 256": 256, "whole": 0}
    found: dict[str, Tensor] = {}
    peaks = {
        name: grown(lambda name=name, rows=rows: found.update({name: step(method, batch, rows)})) for name, rows in ways.items()
    }
    row = turns(3, **{name: (lambda rows=rows: step(method, batch, rows)) for name, rows in ways.items()})
    error = off(*found.values())
    holds = error["relative"] <= 1e-5 and peaks["chunks of 256"] <= peaks["whole"] / 4
    return (
        row
        | {"batch": 4096, "encoder": "small_vit, patch 8, width 32, depth 2", "MiB grown at the peak": peaks}
        | {
            "gradient off by": error,
            "holds": holds,
        }
    )


def norms() -> Row:
    method, batch = of(lambda: SmallResNet(FACTS, width=16), 512)
    right = step(method, batch, 0)
    found = {str(rows): off(step(method, batch, rows), right) for rows in (256, 128, 64, 32)}
    return {"batch": 512, "encoder": "small_resnet, width 16: batch norms", "gradient off by, in chunks of": found}


MEASURES = {
    "memory, batch 4096": Measure(memory, (step, of, chunks)),
    "batch norms": Measure(norms, (step, of, chunks)),
}

if __name__ == "__main__":
    main(__doc__, "chunks.json", MEASURES, {})
