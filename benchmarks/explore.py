"""The page of `tacit explore` in Chromium, drawn in software: `python benchmarks/explore.py`.

    OMP_NUM_THREADS=2 python benchmarks/explore.py              # all that is missing
    OMP_NUM_THREADS=2 python benchmarks/explore.py --row "200 000 points" --again

A table of random vectors and a made-up map of it lie on disk. `tacit explore` is started as a process of its own, and Chromium
without a window opens its page, 1440 × 900, by SwiftShader, which is a GPU's work done by the processor. The map is then moved
with every frame for some seconds; a frame counts when it was drawn, and the clock stops when the last is finished.

The rules: at least 10 frames a second at 200 000 points; 1 000 000 points are there, all drawn, within 10 s of the command,
the map being there. Where other work shares the machine the load says so, and the processor's time is what can be compared: a
frame that costs it 100 ms in all is drawn ten times a second by one core that has nothing else to do.
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright
from rows import Measure, Row, grown, main, resident

import tacit
from tacit.embeddings.provenance import Provenance
from tacit.embeddings.read import Table
from tacit.embeddings.rows import Rows
from tacit.embeddings.write import write
from tacit.explorer import columns, server, shown
from tacit.explorer import layout as placing
from tacit.explorer.layout import Layout, fitted, keep, wanted

D, NAMES, SECONDS = 64, 12, 6
SOFTWARE = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PAN = """async seconds => {
    const { map } = page.shown[0], { gl } = map.points, start = performance.now();
    map.points.frames = [];
    let at = 0;
    while (performance.now() - start < 1000 * seconds) {
        await new Promise(requestAnimationFrame);
        map.by(12 * Math.cos(at / 9), 8 * Math.sin(at++ / 7));
    }
    const drawn = map.points.frames.filter(when => when >= start).length;
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    return [drawn, performance.now() - start, map.points.budget];
}"""


def made(folder: str, rows: int) -> Table:
    """A table of `rows` vectors about NAMES centres, and a map of it that nobody had to wait for."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((NAMES, D)).astype(np.float32)

    def batches() -> Iterator[Rows]:
        for start in range(0, rows, 50_000):
            some = range(start, min(start + 50_000, rows))
            vectors = centres[np.arange(len(some)) % NAMES] + 0.5 * random.standard_normal((len(some), D)).astype(np.float32)
            none: list[Any] = [None] * len(some)
            yield Rows([f"rows/{i}" for i in some], none, [f"name {i % NAMES}" for i in some], vectors, none)

    provenance = Provenance("benchmark", "0" * 64, "dense", "cosine", D, "vector", "0")
    table = write(Path(folder) / "rows.lance", batches(), provenance, total=rows)
    angle = 2 * np.pi * (np.arange(rows) % NAMES) / NAMES
    points = np.stack([np.cos(angle), np.sin(angle)], 1) + 0.25 * random.standard_normal((rows, 2))
    keep(table.path, Layout(fitted(points), wanted(table)))
    return table


@contextmanager
def explored(table: Table) -> Iterator[str]:
    """The address of `tacit explore`, a process of its own."""
    command = [sys.executable, "-m", "tacit", "explore", str(table.path), "--no-browser"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "http://" in line:
                yield line.split(" at ")[1].split(";")[0]
                return
        raise RuntimeError("tacit explore ended before its page could be opened")
    finally:
        process.terminate()
        process.wait()


def moved(rows: int) -> Row:
    """How long until all points are drawn, and frames a second while the map moves."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        table = made(folder, rows)
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=SOFTWARE)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        begun, idle = time.perf_counter(), _processor_seconds()
        with explored(table) as address:
            answered = time.perf_counter()
            page.goto(address)
            page.wait_for_selector("body[data-ready]", state="attached", timeout=300_000)
            loaded, spent = time.perf_counter(), _processor_seconds() - idle
            page.evaluate(PAN, 2)  # finds how many points can be drawn at once
            row = _panned(page)
        browser.close()
    return {
        "points": rows,
        "seconds until all are drawn": round(loaded - begun, 2),
        "of them until the server answers": round(answered - begun, 2),
        "seconds of the processor until all are drawn": round(spent, 2),
        **row,
    }


def _panned(page: Page) -> Row:
    before = _processor_seconds()
    drawn, milliseconds, budget = page.evaluate(PAN, SECONDS)
    spent = _processor_seconds() - before
    return {
        "frames a second": round(1000 * drawn / milliseconds, 1),
        "points drawn while moving": budget,
        "processor milliseconds a frame": round(1000 * spent / max(drawn, 1), 1),
    }


def _processor_seconds() -> float:
    """Of all processes that this one has started, and theirs; Linux only."""
    children: dict[int, list[tuple[int, float]]] = {}
    for folder in Path("/proc").iterdir():
        try:
            said = (folder / "stat").read_text().rpartition(")")[2].split() if folder.name.isdigit() else []
        except OSError:  # it has just ended
            continue
        if said:
            spent = (int(said[11]) + int(said[12])) / os.sysconf("SC_CLK_TCK")
            children.setdefault(int(said[1]), []).append((int(folder.name), spent))
    total, left = 0.0, [os.getpid()]
    while left:
        for child, spent in children.get(left.pop(), []):
            total += spent
            left.append(child)
    return total


def mapped(rows: int) -> Row:
    """How long the map itself takes: UMAP of 30 000 rows, the others placed among them."""
    with tempfile.TemporaryDirectory() as folder:
        table = made(folder, rows)
        begun, told = (time.perf_counter(), time.process_time()), []

        def hear(sentence: str) -> None:
            told.append((round(time.perf_counter() - begun[0], 1), sentence))

        more = grown(lambda: placing.layout(table, seed=1, told=hear))
        spent = time.perf_counter() - begun[0], time.process_time() - begun[1]
    placed = next(after for after, sentence in told if "are placed after" in sentence)
    return {
        "rows": rows,
        "seconds": round(spent[0], 1),
        "seconds of the processor": round(spent[1], 1),
        "seconds until UMAP has placed its rows": placed,
        "MiB of vectors": round(4 * rows * D / 2**20, 1),
        "MiB grown at the peak": more,
        "MiB of the process at the peak": round(resident("VmHWM") / 1024, 1),
    }


CODE = (made, explored, _panned, _processor_seconds, columns, server, shown)
MEASURES = {
    "200 000 points": Measure(partial(moved, 200_000), CODE),
    "1 000 000 points": Measure(partial(moved, 1_000_000), CODE),
    "a map of 200 000": Measure(partial(mapped, 200_000), (made, placing, tacit.Table)),
}

if __name__ == "__main__":
    installed = {name: importlib.metadata.version(name) for name in ("umap-learn", "playwright")}
    main(__doc__, "explore.json", MEASURES, installed)
