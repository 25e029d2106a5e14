"""Contrastive losses, forward and backward, beside their rivals: `rivals/bin/python benchmarks/losses.py`.

    python -m venv rivals && rivals/bin/pip install . lightly open_clip_torch
    OMP_NUM_THREADS=2 rivals/bin/python benchmarks/losses.py              # all that is missing
    OMP_NUM_THREADS=2 rivals/bin/python benchmarks/losses.py --row "CLIP, float32" --again

The rivals are lightly's NTXentLoss, one matrix product with cross-entropy, open_clip's ClipLoss, and Sinkhorn as DINOv3's loss
takes its turns; all take turns in one process. Beside each ratio stand what memory grows by and how far loss and gradient are
from float64.

The rules, on two threads: NT-Xent of 16 384 views of 128 dimensions 12 times lightly in float32 and 30 in bfloat16, 6 and 15
times one product, 1/40 of the memory; the CLIP loss of 8 192 pairs of 512 dimensions 2.5 times open_clip's, and 6 in
bfloat16. Gradients within 1e-5 in float32, 1e-3 in bfloat16 beyond what rounding the exact one to bfloat16 costs. The limit
is what is left where nothing but the products is computed: the rules come from a machine with matrix units. Sinkhorn of 512
rows, 16 384 prototypes and 3 turns 4 times, to 1e-6.
"""

import inspect
import math
from collections.abc import Callable
from typing import Any

import lightly
import open_clip
import torch
from lightly.loss import NTXentLoss
from open_clip.loss import ClipLoss
from rows import Measure, Row, grown, main, products, turns
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from tacit.numerics import tiles
from tacit.numerics.sinkhorn import sinkhorn
from tacit.numerics.tiling import sums, threads
from tacit.objectives.nt_xent import nt_xent
from tacit.objectives.paired_contrast import paired_contrast

TURNS, TEMPERATURE, EPSILON = 5, 0.1, 0.05
TILE = 384  # of the products that are timed alone
Loss = Callable[[Tensor, Tensor], Tensor]


def views(n: int, d: int, kind: torch.dtype) -> tuple[Tensor, Tensor]:
    """Two looks at n samples, alike by a cosine of about 0.7."""
    g = torch.Generator().manual_seed(0)
    first, change = (torch.randn(n, d, generator=g) for _ in range(2))
    second = first + change
    return first.to(kind).requires_grad_(), second.to(kind).requires_grad_()


def one_product(first: Tensor, second: Tensor) -> Tensor:
    """NT-Xent as one matrix product and cross-entropy."""
    z = normalize(torch.cat([first, second]))
    n = len(z)
    likeness = (z @ z.T / TEMPERATURE).fill_diagonal_(-math.inf)
    return cross_entropy(likeness, (torch.arange(n) + n // 2) % n)


def beside(shape: tuple[int, int], kind: torch.dtype, exact: Loss, **losses: Loss) -> Row:
    """Seconds, memory and errors of each loss with its backward, the first being ours."""

    def worked(loss: Loss) -> tuple[Tensor, Tensor, Tensor]:
        pair = views(*shape, kind)
        value = loss(*pair)
        value.backward()
        return value.detach(), pair[0].grad, pair[1].grad

    for loss in losses.values():
        small = views(64, shape[1], kind)
        loss(*small).backward()  # what is loaded at first use
    memory = {name: grown(lambda loss=loss: worked(loss)) for name, loss in losses.items()}
    row = turns(TURNS, **{name: (lambda loss=loss: worked(loss)) for name, loss in losses.items()})
    few = (2048, shape[1])  # float64 of the whole would take hours of memory
    checked = {}
    for name, loss in losses.items():
        pair, true = views(*few, kind), [v.detach().double().requires_grad_() for v in views(*few, kind)]
        found, wanted = loss(*pair), exact(*true)
        found.backward(), wanted.backward()
        gradient = torch.cat([v.grad.double() for v in pair])
        right = torch.cat([v.grad for v in true])
        checked[name] = {
            "loss": abs(float(found.detach() / wanted.detach()) - 1),
            "gradient": float((gradient - right).norm() / right.norm()),
        }
    checked["rounding alone"] = {"loss": 0.0, "gradient": float((right.to(kind).double() - right).norm() / right.norm())}
    return row | {"n": {"pairs": shape[0], "d": shape[1]}, "MiB grown at the peak": memory, "off by, of 2 048 pairs": checked}


def products_alone(times: float, d: int, kind: torch.dtype) -> float:
    """Seconds of the processor that nothing but a loss's products would take: so many tiles, there and back, on one thread."""
    return products(TILE, d, TILE, kind, times) + products(TILE, TILE, d, kind, times)


def contrast(kind: torch.dtype) -> Row:
    rival = NTXentLoss(TEMPERATURE)
    losses: dict[str, Any] = {
        "tacit": lambda a, b: nt_xent(a, b, TEMPERATURE),
        "lightly": rival,
        "one product": one_product,
    }
    if kind != torch.float32:
        losses |= {"lightly, float32": lambda a, b: rival(a.float(), b.float())}
        losses |= {"one product, float32": lambda a, b: one_product(a.float(), b.float())}
    least = products_alone((16_384 / TILE) ** 2, 128, kind)  # half of all tiles, twice there and, for both sides, back
    return beside((8192, 128), kind, one_product, **losses) | {"products alone": least}


def clip(kind: torch.dtype) -> Row:
    rival = ClipLoss()

    def exact(a: Tensor, b: Tensor) -> Tensor:
        likeness, own = normalize(a) @ normalize(b).T / TEMPERATURE, torch.arange(len(a))
        return (cross_entropy(likeness, own) + cross_entropy(likeness.T, own)) / 2

    row = beside(
        (8192, 512),
        kind,
        exact,
        tacit=lambda a, b: paired_contrast(a, b, TEMPERATURE),
        open_clip=lambda a, b: rival(normalize(a), normalize(b), 1 / TEMPERATURE),
    )
    return row | {"products alone": products_alone(2 * (8192 / TILE) ** 2, 512, kind)}


def by_turns(scores: Tensor) -> Tensor:
    """Sinkhorn as in DINOv3's loss: the whole table scaled in place, columns and rows in turns, with their sums taken anew."""
    q = (scores / EPSILON).exp().T
    prototypes, rows = q.shape
    q /= q.sum()
    for _ in range(3):
        q /= q.sum(1, keepdim=True)
        q /= prototypes
        q /= q.sum(0, keepdim=True)
        q /= rows
    q *= rows
    return q.T


def balanced() -> Row:
    scores = torch.randn(512, 16_384, generator=torch.Generator().manual_seed(0)).clamp_(-4, 4) / 4
    found = {"tacit": torch.empty_like(scores)}

    def ours() -> None:
        sinkhorn(scores, EPSILON, 3, out=found["tacit"])

    def theirs() -> None:
        found["DINOv3's turns"] = by_turns(scores)

    rivals = {"tacit": ours, "DINOv3's turns": theirs}
    for call in rivals.values():
        call()
    exact = by_turns(scores.double())
    off = {name: float((codes - exact).abs().max()) for name, codes in found.items()}
    return turns(2 * TURNS, **rivals) | {"n": {"rows": 512, "prototypes": 16_384}, "off by": off}


TIMED = (
    tiles,
    sums,
    threads,
    products_alone,
    inspect.getmodule(nt_xent),
    inspect.getmodule(paired_contrast),
    beside,
    views,
    one_product,
)
MEASURES = {
    "NT-Xent, float32": Measure(lambda: contrast(torch.float32), (*TIMED, contrast)),
    "NT-Xent, bfloat16": Measure(lambda: contrast(torch.bfloat16), (*TIMED, contrast)),
    "CLIP, float32": Measure(lambda: clip(torch.float32), (*TIMED, clip)),
    "CLIP, bfloat16": Measure(lambda: clip(torch.bfloat16), (*TIMED, clip)),
    "Sinkhorn": Measure(balanced, (inspect.getmodule(sinkhorn), sums, threads, by_turns)),
}

if __name__ == "__main__":
    main(__doc__, "losses.json", MEASURES, {"lightly": lightly.__version__, "open_clip": open_clip.__version__})
