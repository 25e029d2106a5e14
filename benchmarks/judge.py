"""Seconds of the judge beside its rivals: kNN, the sweep of the linear probe, RankMe, and the full panel.

    TACIT_DATA=… python benchmarks/judge.py                          # all that is missing
    TACIT_DATA=… python benchmarks/judge.py --row knn --again

Each row of benchmarks/results/judge.json is stored when it is done and kept until the files that it times change, or the
functions here that measure it. Rivals take turns with tacit in one process, with as many threads; a ratio is the median
over turns of rival's seconds by tacit's, with the smallest and the largest turn as its interval.

The rules: kNN no slower than faiss' flat index at recall 1.0; a sweep of 100 penalties at least 20 times a
loop of scikit-learn, each objective at most 1e-4 nats above the loop's, mean accuracy within 0.1 points; RankMe within 1e-3 of
a float64 SVD, in a few seconds; the panel below two minutes.
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
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import faiss
import numpy as np
import sklearn
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

import tacit
from tacit.data.splitting import splits
from tacit.evaluation.labelled import linear
from tacit.evaluation.panel import Judged, judge
from tacit.numerics import spectra, topk
from tacit.representing import features, representations
from tacit.views.kinds import Plain

FILE = Path(__file__).parent / "results" / "judge.json"
TURNS, K = 5, 20
PATH = tuple(np.logspace(-5, 0, 100).tolist())
Row = dict[str, Any]


def timed(number: int = TURNS, **rivals: Callable[[], Any]) -> tuple[Row, dict[str, Any]]:
    """Median seconds of each, the ratios to the first, and what each returned at last; all take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    results = {}
    for _ in range(number):
        for name, call in rivals.items():
            begun = time.perf_counter()
            results[name] = call()
            seconds[name].append(time.perf_counter() - begun)
    ours = seconds[next(iter(rivals))]
    ratios = {name: sorted(t / o for t, o in zip(times, ours)) for name, times in list(seconds.items())[1:]}
    return {
        "turns": number,
        "seconds": {name: round(statistics.median(times), 4) for name, times in seconds.items()},
        "ratio": {
            name: [round(r, 2) for r in (statistics.median(turns), turns[0], turns[-1])] for name, turns in ratios.items()
        },
    }, results


def knn() -> Row:
    """10 000 queries against 100 000 keys of 512 dimensions, all of length one."""
    g = torch.Generator().manual_seed(0)
    keys = torch.nn.functional.normalize(torch.randn(100_000, 512, generator=g))
    queries = torch.nn.functional.normalize(keys[:10_000] + 0.05 * torch.randn(10_000, 512, generator=g))
    index = faiss.IndexFlatIP(512)
    index.add(keys.numpy())
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = resident("VmRSS")
    topk.nearest(queries, keys, K)
    grown = resident("VmHWM") - before
    row, results = timed(
        tacit=lambda: topk.nearest(queries, keys, K).positions, faiss=lambda: index.search(queries.numpy(), K)[1]
    )
    exact = (queries[:1000].double() @ keys.double().T).topk(K).indices.numpy()
    recall = {
        name: float(np.mean([np.isin(a, b).mean() for a, b in zip(exact, np.asarray(found))]))
        for name, found in results.items()
    }
    return row | {
        "n": {"queries": 10_000, "keys": 100_000, "d": 512, "k": K},
        "recall": recall,
        "MiB_grown_at_peak": grown // 1024,
    }


def resident(what: str) -> int:
    """KiB of this process: VmRSS now, VmHWM at the peak; Linux only."""
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))


def sweep(x: Tensor, y: Tensor, x_test: Tensor, y_test: Tensor, number: int = TURNS) -> Row:
    """100 penalties; the rivals are scikit-learn's fastest solver for it, L-BFGS, from zero and from the last penalty's."""
    mean, deviation = x.mean(0), x.std(0, correction=0)
    deviation = torch.where(deviation > 1e-6, deviation, 1.0)
    scaled, scaled_test = (((part - mean) / deviation).numpy() for part in (x, x_test))

    def loop(warm: bool) -> np.ndarray:
        """Heads × classes × (d + 1), strongest penalty first."""
        model = LogisticRegression(max_iter=1000, warm_start=warm)
        fits = (model.set_params(C=1 / (len(x) * penalty)).fit(scaled, y.numpy()) for penalty in reversed(PATH))
        return np.stack([np.hstack([fit.coef_, fit.intercept_[:, None]]) for fit in fits])

    row, results = timed(
        number,
        tacit=lambda: linear.fit(x, y, PATH),
        **{"scikit-learn": lambda: loop(False), "scikit-learn, warm start": lambda: loop(True)},
    )
    probe = results.pop("tacit")
    value = objectives(((x - probe.mean) @ probe.axes), y, probe.weights)
    accuracy = (linear.predict(probe, x_test) == y_test).double().mean(1).numpy()
    for name, heads in results.items():
        found = torch.from_numpy(heads[::-1].copy()).float()
        above = value - objectives(torch.from_numpy(scaled), y, found)
        logits = torch.einsum("nd,hcd->hnc", torch.from_numpy(scaled_test), found[:, :, :-1]) + found[:, None, :, -1]
        differs = 100 * (accuracy - (logits.argmax(2) == y_test).double().mean(1).numpy())
        row[f"beside {name}"] = {
            "objective above it, nats: largest, median": [float(above.max()), float(np.median(above))],
            "accuracy above it, points: mean, least, most": [
                round(float(v), 3) for v in (differs.mean(), differs.min(), differs.max())
            ],
        }
    return row | {"n": {"train": len(x), "d": x.shape[1], "classes": len(y.unique()), "penalties": len(PATH)}}


def objectives(x: Tensor, y: Tensor, heads: Tensor) -> np.ndarray:
    """Of each head, the penalty included, in float64."""
    x, values = x.double(), []
    for head, penalty in zip(heads.double(), PATH):
        loss = torch.nn.functional.cross_entropy(x @ head[:, :-1].T + head[:, -1], y)
        values.append(float(loss + penalty / 2 * head[:, :-1].square().sum()))
    return np.array(values)


def separable() -> Row:
    """Ten Gaussian classes, 2 000 × 128."""
    g = torch.Generator().manual_seed(0)
    centres = 0.25 * torch.randn(10, 128, generator=g)
    y = torch.randint(10, (4000,), generator=g)
    x = centres[y] + torch.randn(4000, 128, generator=g)
    return sweep(x[:2000], y[:2000], x[2000:], y[2000:])


def embedded() -> Row:
    """10 000 images of cifar10-15k as a small ResNet of 512 dimensions sees them after two epochs of SimCLR on 4 000."""
    train, test, _ = splits(tacit.known("cifar10-15k"), seed=0)
    with tempfile.TemporaryDirectory() as folder:
        few = train.take(np.arange(4000))
        options: dict[str, Any] = {"encoder": "small_resnet", "width": 128, "depth": (1, 1, 1)}
        run = tacit.pretrain(few, "simclr", out=Path(folder) / "run", quiet=True, size=16, epochs=2, batch=256, **options)
        represent = representations(run)["this encoder"]
        (x,), (x_test,) = (features(run, part, represent, Plain(), 0) for part in (train.take(np.arange(10_000)), test))
    y, y_test = (torch.from_numpy(part.labels) for part in (train.take(np.arange(10_000)), test))
    return sweep(x.float(), y, x_test.float(), y_test, number=1)  # scikit-learn's 200 fits take many minutes


def rankme(collapsed: bool = False) -> Row:
    """100 000 × 512, spread by a power law or within 1e-4 of three directions."""
    g = torch.Generator().manual_seed(0)
    x = torch.randn(100_000, 512, generator=g)
    x = (
        x[:, :3] @ torch.randn(3, 512, generator=g) + 1e-4 * x
        if collapsed
        else x * torch.arange(1, 513) ** -0.5 @ torch.linalg.qr(torch.randn(512, 512, generator=g))[0]
    )

    def reference() -> float:
        values = np.linalg.svd(x.double().numpy(), compute_uv=False)
        shares = values / values.sum() + 1e-7
        return float(np.exp(-(shares * np.log(shares)).sum()))

    row, values = timed(tacit=lambda: float(spectra.effective_rank(x)), **{"float64 SVD": reference})
    return row | {"n": {"samples": 100_000, "d": 512}, "values": values, "off": abs(values["tacit"] - values["float64 SVD"])}


def panel() -> Row:
    """All numbers of a 10 000-sample run: 8 000 to learn from, 2 000 to judge, with pairs of views and six looks at 1 000."""
    g = torch.Generator().manual_seed(0)
    centres, spread = torch.randn(10, 512, generator=g), torch.arange(1, 513) ** -0.5
    y = torch.randint(10, (10_000,), generator=g)
    x = (0.5 * centres[y] + torch.randn(10_000, 512, generator=g)) * spread
    test = slice(8000, None)
    views = tuple(x[test] + 0.1 * spread * torch.randn(2000, 512, generator=g) for _ in range(2))
    looks = x[8000:9000, None] + 0.1 * spread * torch.randn(1000, 6, 512, generator=g)
    row, results = timed(tacit=lambda: judge(Judged(x[:8000], y[:8000]), Judged(x[test], y[test]), views=views, looks=looks))
    numbers = {n.name: n.value for n in results["tacit"]}
    return row | {
        "n": {"train": 8000, "test": 2000, "d": 512},
        "numbers": len(numbers),
        "missing": [name for name, value in numbers.items() if np.isnan(value)],
    }


def collapsed() -> Row:
    return rankme(collapsed=True)


# What measures each row, the functions here that it calls, and what it times.
ROWS: dict[str, tuple[Callable[[], Row], tuple[Callable[..., Any], ...], tuple[ModuleType, ...]]] = {
    "knn": (knn, (resident,), (topk,)),
    "rankme": (rankme, (), (spectra,)),
    "rankme, collapsed": (collapsed, (rankme,), (spectra,)),
    "panel": (panel, (), (linear, spectra, topk)),
    "sweep, 2 000 × 128": (separable, (sweep,), (linear,)),
    "sweep, 10 000 × 512": (embedded, (sweep,), (linear,)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", nargs="+", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--again", action="store_true", help="measure rows that are there, too")
    given = parser.parse_args()
    FILE.parent.mkdir(exist_ok=True)
    faiss.omp_set_num_threads(torch.get_num_threads())
    with (FILE.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two timings at once spoil both
        rows = json.loads(FILE.read_text()) if FILE.exists() else {}
        for name in due(rows, given.row, given.again):
            load = os.getloadavg()[0]
            rows[name] = ROWS[name][0]() | about(code_of(name), load)
            beside = FILE.with_suffix(".part")
            beside.write_text(json.dumps(rows, indent=1, ensure_ascii=False))
            beside.replace(FILE)
            print(name, json.dumps(rows[name], ensure_ascii=False), flush=True)


def due(rows: Row, asked: list[str], again: bool) -> Iterator[str]:
    yield from (name for name in asked if again or rows.get(name, {}).get("code") != code_of(name))


def code_of(name: str) -> str:
    """A hash of the functions that make a row and of the files that it times."""
    measures, helpers, times = ROWS[name]
    texts = [inspect.getsource(part) for part in (measures, *helpers, timed, *times)]
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:12]


def about(code: str, load: float) -> Row:
    return {
        "code": code,
        "load": [round(load, 2), round(os.getloadavg()[0], 2)],
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads",
        "versions": {"torch": torch.__version__, "scikit-learn": sklearn.__version__, "faiss": faiss.__version__},
        "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip(),
        "command": "python benchmarks/judge.py",
    }


if __name__ == "__main__":
    main()
