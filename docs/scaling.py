"""docs/scaling.md: where communication would bind on many GPUs, from what benchmarks/scaling.py counted and stated links."""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

ROWS = Path(__file__).parents[1] / "benchmarks" / "results" / "scaling.json"
Row = dict[str, Any]

PEAK, SHARE = 989e12, 0.4  # FLOP/s of products in bfloat16 (an H100's data sheet), and what of it a step is taken to reach
TILES = 0.2  # what of the peak products in tiles reach
NODE, INSIDE, ACROSS = 8, 450e9, 50e9  # GPUs of a machine; bytes/s of a GPU each way: NVLink, and 400 Gb/s of network
WAIT = {8: 20e-6, 64: 40e-6, 1024: 80e-6}  # seconds of an exchange of nothing among so many
BATCH = 128  # samples of a GPU
BACKWARD = 2 / 3  # of a step, while which gradients can be averaged
WIDTH = 128  # dimensions of what is contrasted


class Step(NamedTuple):
    """Milliseconds of a step on each GPU; what can hide behind the backward counts only as far as it does not."""

    compute: float
    gradients: float  # averaging them
    exposed: float  # of that, what the backward does not hide
    norms: float  # waiting for statistics
    losses: float  # what the loss itself sends, and what it computes the more the more GPUs there are

    @property
    def kept(self) -> float:
        return self.compute / (self.compute + self.exposed + self.norms + self.losses)


def link(gpus: int) -> float:
    return INSIDE if gpus <= NODE else ACROSS


def contrast(gpus: int, n: int = 2 * BATCH) -> tuple[float, float]:
    """Seconds of NT-Xent of n views of each GPU among all, gathered and by a ring."""
    everyone, bytes_of = n * gpus, 4 * n * WIDTH
    work = 8 * n * everyone * WIDTH / (PEAK * TILES)
    gathered = (gpus - 1) * bytes_of / link(gpus) + 2 * (gpus - 1) * bytes_of / link(gpus) + 2 * WAIT[gpus]
    hop = max(work / gpus / 4, bytes_of / 2 / link(gpus)) + WAIT[gpus] / 8  # of neighbours only; rows travel in bfloat16
    back = 3 * work / gpus / 4 + bytes_of / link(gpus) + WAIT[gpus] / 8  # slopes wait for what is added to them
    return work + gathered, gpus * (hop + back)


def step(row: Row, gpus: int) -> Step:
    compute = row["GFLOP of a sample"] * 1e9 * BATCH / (PEAK * SHARE)
    gradients = 2 * (gpus - 1) / gpus * row["MB of gradients"] * 1e6 / link(gpus) + 2 * math.log2(gpus) * WAIT[gpus] / 8
    calls = row["exchanges"]["all_reduce"]["in all"]
    gathers = row["exchanges"]["all_gather"]["in all"]
    sent = row["kB sent"]["all_gather"] * 1e3 * BATCH / row["samples of a process"]
    queued = gathers * WAIT[gpus] + (gpus - 1) * sent / link(gpus)
    losses = contrast(gpus)[0] if row["method"] == "SimCLR" else queued
    parts = compute, gradients, max(0.0, gradients - BACKWARD * compute), calls * WAIT[gpus], losses
    return Step(*(1e3 * part for part in parts))


def page() -> str:
    rows = json.loads(ROWS.read_text())
    lines = [
        "# Scaling, on paper",
        "",
        "Written by `python docs/generate.py` from `benchmarks/results/scaling.json` and the model in",
        "`docs/scaling.py`. Nothing",
        "here was timed on GPUs: operations, exchanges and bytes are counted in two real processes, links and rates",
        "are assumed.",
        "",
        "## What was counted",
        "",
        "| family | method, encoder | GFLOP a sample | MB of gradients | all-reduces a step | kB in them | gathers | commit |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, r in rows.items():
        calls = r["exchanges"]
        cells = [name, f"`{r['method']}`, {r['encoder'].removeprefix('timm/')}", f"{r['GFLOP of a sample']:.1f}"]
        cells += [f"{r['MB of gradients']:.0f}", str(calls["all_reduce"]["in all"]), f"{r['kB sent']['all_reduce']:.0f}"]
        cells += [str(calls["all_gather"]["in all"]), r["commit"]]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "Forward, backward and teacher, views and all, of one step of one process; gradients are averaged apart.",
        "All-reduces are",
        "those of the step itself: the statistics of batch norms, two forward and two backward for each call of each norm, and",
        "DINO's centre. `python benchmarks/scaling.py`.",
        "",
        "## Assumptions",
        "",
        f"- {BATCH} samples a GPU, whatever their number (weak scaling); compute at {SHARE:.0%} of {PEAK / 1e12:.0f}",
        "  TFLOP/s, tiles at",
        f"  {TILES:.0%} of it.",
        f"- Machines of {NODE} GPUs; {INSIDE / 1e9:.0f} GB/s each way of a GPU inside of one, {ACROSS / 1e9:.0f} across.",
        f"- An exchange among 8, 64 and 1 024 GPUs waits {', '.join(f'{1e6 * w:.0f}' for w in WAIT.values())} µs",
        "  before the first byte,",
        "  and one with a neighbour an eighth of that.",
        f"- Gradients are averaged while the backward goes on ({BACKWARD:.0%} of the step); nothing else hides.",
        "",
        "## Formulas",
        "",
        "With W GPUs, b samples each, n = 2b views of d dimensions, F operations a sample, G bytes of gradients,",
        "link B, wait α:",
        "",
        "- compute F b / (peak · share); gradients 2 (W − 1) / W · G / B + 2 log₂ W · α / 8, exposed where above the backward",
        "- norms: exchanges · α, since each is a few kB",
        "- contrast, gathered: 8 n (n W) d / (peak · tiles) + 3 (W − 1) · 4 n d / B + 2 α: rows once, the slopes by",
        "  them, summed, twice",
        "- contrast, by a ring: W times a hop forward, the longer of its products and its bytes, and α / 8; and one",
        "  back, which waits",
        "  for the slopes",
        "- a queue gathers its keys: (W − 1) · 4 b d / B + α",
        "",
        "## Where it binds",
        "",
        "| family | GPUs | compute | gradients | of that exposed | norms | loss | share of compute | what binds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, r in rows.items():
        for gpus in WAIT:
            s = step(r, gpus)
            costs = {"gradients": s.exposed, "norms' waiting": s.norms, "the loss": s.losses}
            most = max(costs, key=lambda what: costs[what])
            said = most if costs[most] > 0.05 * s.compute else "nothing above 5 %"
            cells = [name, f"{gpus:,}", *(f"{v:.1f} ms" for v in s), f"{s.kept:.0%}", said]
            lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "Of NT-Xent alone, milliseconds gathered and by a ring, and what each GPU holds of others' rows in float32:",
        "",
    ]
    lines += ["| GPUs | views a GPU | gathered | ring | MB gathered | MB by a ring |", "|---|---|---|---|---|---|"]
    for gpus in WAIT:
        for n in (2 * BATCH, 32 * BATCH):
            gathered, ring = (1e3 * seconds for seconds in contrast(gpus, n))
            held = 8 * n * gpus * WIDTH / 1e6, 3 * 4 * n * WIDTH / 1e6
            cells = f"{gathered:.1f} ms | {ring:.1f} ms | {held[0]:,.0f} | {held[1]:,.1f}"
            lines.append(f"| {gpus:,} | {n:,} | {cells} |")
    lines += [
        "",
        "## What the code does about it",
        "",
        "- **Gradients** are averaged by DDP in buckets while the backward goes on; `--strategy fsdp` where an",
        "  encoder does not fit.",
        "- **Norms** take what a batch of all processes would have, which proves that N processes learn what one",
        "  does. The count and",
        "  the sum go in one exchange, the squares in another. That many waits one after another are what binds a",
        "  residual network;",
        "  transformers have none. Not done: norms of both views in one call, statistics of a machine only.",
        "- **Contrast** gathers up to 2²⁸ numbers and goes round a ring above (`numerics/tiling/ring.py`): a ring waits at",
        "  every hop, which small shares feel, and then holds what no longer grows with the number of GPUs.",
        "  Likenesses are in tiles.",
        "- **Centres, prototypes and Sinkhorn** send sums (k numbers), never rows; a queue gathers keys once, after the step.",
        "- **Masked** methods send gradients alone, but compute little for each parameter: more samples a GPU hide them.",
        "",
    ]
    return "\n".join(lines)
