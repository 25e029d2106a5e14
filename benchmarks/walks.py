"""Walks, skip-gram and whole graph embeddings beside PecanPy and gensim: `python benchmarks/walks.py --rivals VENV/bin/python`.

    python -m venv rivals && rivals/bin/pip install pecanpy gensim        # an environment of the rivals' own
    TACIT_DATA=… python benchmarks/walks.py --rivals rivals/bin/python    # all that is missing
    TACIT_DATA=… python benchmarks/walks.py --rivals … --row "walks, p=0.5 q=2" --again

Each row of benchmarks/results/walks.json is stored when it is done and kept until the code that it times or this file changes.
Rivals run in processes of their own and take turns with tacit, one thread each; what is compiled is compiled before the first
turn. Seconds are of the processor, since the machine may be shared; wall seconds stand beside them. A ratio is the median over
turns of rival's seconds by tacit's, with the smallest and the largest turn as its interval.

The rules: biased walks 15 times PecanPy's SparseOTF, walks of the first order 6 times its first-order mode; skip-gram 4 times
gensim's words a second; an embedding without walks 30 times node2vec by PecanPy and gensim; micro-F1 at most 0.5 points lower.
"""

import argparse
import fcntl
import hashlib
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tacit.data import known
from tacit.evaluation.labelled import node_labels
from tacit.numerics import alias, factorization, skipgram, walks
from tacit.parts import corpus

FILE = Path(__file__).parent / "results" / "walks.json"
TIMED = [Path(m.__file__) for m in (alias, factorization, skipgram, walks, corpus)]
TURNS, LENGTH = 5, 80
Row = dict[str, Any]
Timed = tuple[float, float]  # seconds of the processor, of the wall

# What a rival's process does: read arrays, warm up, and for each line on its input do the work once and say how long it took.
RIVAL = """
import json, sys, time
import numpy as np
given = dict(np.load(sys.argv[1], allow_pickle=False)); what = json.loads(sys.argv[2])
def graph():
    from pecanpy import pecanpy
    made = getattr(pecanpy, what["mode"])(what["p"], what["q"], 1, False)
    made.set_node_ids([str(i) for i in range(len(given["indptr"]) - 1)])
    made.indptr, made.indices = given["indptr"].astype(np.uint32), given["indices"].astype(np.uint32)
    made.data = np.ones(len(made.indices), np.float32)
    return made
def trained(sentences):
    from gensim.models import Word2Vec
    tree = what.get("tree", False)
    how = {"hs": int(tree), "negative": 0 if tree else 5, "window": what["window"]}
    model = Word2Vec(vector_size=128, min_count=0, sg=1, workers=1, **how)
    model.build_vocab(sentences)
    begun = time.process_time(), time.perf_counter()
    model.train(sentences, total_examples=len(sentences), epochs=1)
    return model, time.process_time() - begun[0], time.perf_counter() - begun[1]
if what["do"] == "train":
    sentences = [[str(w) for w in row if w >= 0] for row in given["sentences"]]
elif what["do"] == "walk":
    made = graph(); made.simulate_walks(1, what["length"])
else:
    graph().simulate_walks(1, 3)
print("ready", flush=True)
for line in sys.stdin:
    begun, model = (time.process_time(), time.perf_counter()), None
    if what["do"] == "walk":
        made.simulate_walks(1, what["length"])
    elif what["do"] == "embed":
        model, *_ = trained(graph().simulate_walks(10, what["length"]))
    taken = time.process_time() - begun[0], time.perf_counter() - begun[1]
    if what["do"] == "train":
        model, *taken = trained(sentences)
    if model is not None:
        n = int(what["n"])
        order = [model.wv.key_to_index.get(str(i), -1) for i in range(n)]
        vectors = np.where(np.array(order)[:, None] >= 0, model.wv.vectors[order], 0).astype(np.float32)
        np.save(sys.argv[3], vectors)
    print(json.dumps(taken), flush=True)
"""


class Rival:
    """A process of the rivals' environment that does one thing whenever it is asked."""

    def __init__(self, python: str, arrays: dict[str, np.ndarray], **what: Any):
        self.folder = tempfile.TemporaryDirectory()
        given, self.out = Path(self.folder.name) / "given.npz", Path(self.folder.name) / "vectors.npy"
        np.savez(given, **arrays)  # type: ignore[arg-type]
        command = [python, "-W", "ignore", "-c", RIVAL, str(given), json.dumps(what), str(self.out)]
        one = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=one)
        self._read()

    def __call__(self) -> Timed:
        self.process.stdin.write("go\n")  # type: ignore[union-attr]
        self.process.stdin.flush()  # type: ignore[union-attr]
        return tuple(json.loads(self._read()))

    def vectors(self) -> np.ndarray:
        return np.load(self.out, allow_pickle=False)

    def end(self) -> None:
        self.process.stdin.close()  # type: ignore[union-attr]
        self.process.wait()
        self.folder.cleanup()

    def _read(self) -> str:
        """The next line that is an answer: what is compiled or counted may print others."""
        for line in self.process.stdout:  # type: ignore[union-attr]
            if line.startswith(("[", "ready")):
                return line
        raise RuntimeError(f"the rival ended with {self.process.wait()}")


def timed(call: Callable[[], Any]) -> Timed:
    begun = time.process_time(), time.perf_counter()
    call()
    return time.process_time() - begun[0], time.perf_counter() - begun[1]


def turns(tacit: Callable[[], Any], rival: Rival, count: int = TURNS) -> Row:
    tacit()  # compiles
    taken = [(timed(tacit), rival()) for _ in range(count)]
    ratios = [sorted(other[i] / ours[i] for ours, other in taken) for i in (0, 1)]
    return {
        "turns": count,
        "seconds": {
            name: [round(statistics.median(t[side][i] for t in taken), 4) for i in (0, 1)]
            for side, name in enumerate(("tacit", "rival"))
        },
        **{
            name: [round(value, 2) for value in (statistics.median(r), r[0], r[-1])]
            for name, r in zip(("ratio", "ratio by the wall"), ratios)
        },
    }


def walking(python: str, mode: str, p: float, q: float) -> Row:
    """One walk of 80 nodes from each of 50 000, among a million directed edges drawn at random."""
    n = 50_000
    g = np.random.default_rng(0)
    ends = g.integers(0, n, (2, 500_000))
    edge = np.unique(np.concatenate([ends[0] * n + ends[1], ends[1] * n + ends[0]]))
    indptr, indices = np.searchsorted(edge, np.arange(n + 1) * n), edge % n
    rows, starts = walks.prepared(indptr, indices), np.arange(n)
    rival = Rival(python, {"indptr": indptr, "indices": indices}, do="walk", mode=mode, p=p, q=q, length=LENGTH)
    if mode == "SparseOTF":
        row = turns(lambda: walks.second_order(rows, starts, LENGTH, 1, starts, p, q), rival)
    else:
        row = turns(lambda: walks.first_order(rows, starts, LENGTH, 1, starts), rival)
    rival.end()
    each = {name: round(n * LENGTH / 1e6 / seconds[0], 2) for name, seconds in row["seconds"].items()}
    return row | {"n": {"nodes": n, "edges": len(edge), "length": LENGTH}, "million steps a second": each, "rival": mode}


def learning(python: str, tree: bool, window: int) -> Row:
    """Skip-gram over ten walks of 40 nodes from each of blogcatalog, 128 dimensions; gensim at its defaults for graphs."""
    nodes, rows = blogcatalog()
    n = len(rows.total)
    sentences = walks.first_order(rows, np.arange(10 * n) % n, 40, 1, np.arange(10 * n))
    counts = np.bincount(sentences[sentences >= 0], minlength=n)
    numbers, rates = np.arange(len(sentences)), np.linspace(0.025, 1e-4, len(sentences), dtype=np.float32)
    shared = skipgram.kept(counts), 5
    found: dict[str, np.ndarray] = {}

    def ours() -> None:
        found["tacit"] = inputs = 2 * skipgram.started(n, 128, 3)  # as gensim 4 starts: ±1/d, twice word2vec's
        given = sentences, numbers, rates
        if tree:
            outputs = np.zeros((n - 1, 128), np.float32)
            skipgram.hierarchical_softmax(inputs, outputs, *given, skipgram.huffman(counts), *shared, window=window)
        else:
            outputs = np.zeros((n, 128), np.float32)
            skipgram.negative_sampling(inputs, outputs, *given, skipgram.noise(counts), *shared, window=window, negatives=5)

    rival = Rival(python, {"sentences": sentences}, do="train", tree=tree, window=window, n=n)
    row = turns(ours, rival, 3)
    found["rival"] = rival.vectors()
    rival.end()
    words = {name: round(sentences.size / 1e3 / seconds[0]) for name, seconds in row["seconds"].items()}
    return row | {"n": {"words": sentences.size, "nodes": n}, "thousand words a second": words, "F1": judged(nodes, found)}


def whole(python: str) -> Row:
    """blogcatalog to 128 dimensions: ours without walks; the rival's ten walks of 80, window 10, p = q = 1, one epoch."""
    nodes, rows = blogcatalog()
    weights = np.ones(len(rows.targets), np.float32)
    found: dict[str, np.ndarray] = {}

    def ours() -> None:
        vectors = factorization.factorized(rows.indptr, rows.targets, weights, 128, 3)
        found["tacit"] = factorization.spread(rows.indptr, rows.targets, weights, vectors)

    arrays = {"indptr": rows.indptr, "indices": rows.targets}
    what = {"mode": "FirstOrderUnweighted", "p": 1, "q": 1, "length": 80, "window": 10, "n": len(rows.total)}
    rival = Rival(python, arrays, do="embed", **what)
    row = turns(ours, rival, 3)
    found["rival"] = rival.vectors()
    rival.end()
    return row | {"n": {"nodes": len(rows.total), "edges": len(rows.targets)}, "F1": judged(nodes, found)}


def blogcatalog() -> tuple[Any, walks.Rows]:
    nodes: Any = known("blogcatalog")
    return nodes, corpus.rows_of(nodes.graph.undirected, loops=False, weighted=False)


def judged(nodes: Any, vectors: dict[str, np.ndarray]) -> Row:
    """Micro- and macro-F1 in per cent with half of the nodes labelled, 3 splits."""
    labels = torch.from_numpy(nodes.multilabel)
    found = {name: node_labels.label_f1(torch.from_numpy(z), labels, (0.5,), 3)[0.5] for name, z in vectors.items()}
    return {name: [round(100 * value, 2) for value in f1] for name, f1 in found.items()}


ROWS: dict[str, Callable[[str], Row]] = {
    "walks, first order": lambda python: walking(python, "FirstOrderUnweighted", 1, 1),
    "walks, p=0.5 q=2": lambda python: walking(python, "SparseOTF", 0.5, 2),
    "skip-gram, negative sampling, window 5": lambda python: learning(python, False, 5),
    "skip-gram, negative sampling, window 10": lambda python: learning(python, False, 10),
    "skip-gram, hierarchical softmax, window 10": lambda python: learning(python, True, 10),
    "graph embedding": whole,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rivals", required=True, help="the Python of an environment with pecanpy and gensim")
    parser.add_argument("--row", nargs="+", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--again", action="store_true", help="measure rows that are there, too")
    given = parser.parse_args()
    FILE.parent.mkdir(exist_ok=True)
    code = hashlib.sha256(b"".join(path.read_bytes() for path in (*TIMED, Path(__file__)))).hexdigest()[:12]
    with (FILE.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two timings at once spoil both
        rows = json.loads(FILE.read_text()) if FILE.exists() else {}
        for name in given.row:
            if not given.again and rows.get(name, {}).get("code") == code:
                continue
            load = os.getloadavg()[0]
            rows[name] = ROWS[name](given.rivals) | about(code, load)
            beside = FILE.with_suffix(".part")
            beside.write_text(json.dumps(rows, indent=1, ensure_ascii=False))
            beside.replace(FILE)
            print(name, json.dumps(rows[name], ensure_ascii=False), flush=True)


def about(code: str, load: float) -> Row:
    return {
        "code": code,
        "load": [round(load, 2), round(os.getloadavg()[0], 2)],
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, 1 thread",
        "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip(),
        "command": "python benchmarks/walks.py --rivals …",
    }


if __name__ == "__main__":
    main()
