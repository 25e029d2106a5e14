"""`tacit demo`: the whole story in a few minutes, on images it renders itself. Nothing is downloaded."""

import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

from tacit.applying.embedding import embed
from tacit.applying.searching import search
from tacit.data.generated import glyphs, write
from tacit.embeddings.search import Hit
from tacit.errors import TacitError
from tacit.evaluation.comparison import Evaluation
from tacit.judging.evaluating import evaluate
from tacit.pretraining import pretrain
from tacit.run import Run

IMAGES, EPOCHS, WIDTH, BATCH = 3000, 30, 32, 128
MARK = ".tacit-demo"  # in a folder that the demo may clear, since it made it

# What a letter keeps when it is seen again: not its place, size or colour. It is never mirrored, so views are not either.
VIEWS: dict[str, Any] = {
    "crop": (0.2, 0.6),
    "flip": 0.0,
    "jitter": 1.0,
    "brightness": 0.8,
    "contrast": 0.8,
    "saturation": 0.8,
    "hue": 0.2,
    "grey": 0.5,
}


class Demo(NamedTuple):
    """What the demo made."""

    run: Run
    images: Path
    evaluation: Evaluation
    table: Path
    query: str
    hits: list[Hit]
    sheet: Path
    report: Path
    seconds: float


def demo(out: str | Path = "tacit-demo", *, seed: int = 0, quiet: bool = False) -> Demo:
    """Render letters, pretrain without labels, judge beside raw pixels and the untrained encoder, embed, search, report.

    Everything lies below `out`: images/ (class folders), run/, images.lance, search.png.
    """
    begun, folder = time.perf_counter(), Path(out)
    if folder.exists():
        if not (folder / MARK).exists():
            raise TacitError(f"{folder} is there and was not made by the demo; give another --out, nothing was changed.")
        shutil.rmtree(folder)
    images = folder / "images"
    folder.mkdir(parents=True)
    (folder / MARK).touch()
    write(glyphs(IMAGES, seed=seed), images)
    run = pretrain(
        images, "simclr", out=folder / "run", seed=seed, quiet=quiet, epochs=EPOCHS, width=WIDTH, batch=BATCH, **VIEWS
    )
    judged = evaluate(run, images, seed=seed)
    at = folder / "images.lance"
    table = embed(run, images, out=at)
    query = next(iter(sorted(id for id in table.ids() if id.startswith("test/"))))
    sheet = folder / "search.png"
    hits = search(table, query, run=run, top=14, sheet=sheet)
    report = run.path / "report.html"
    return Demo(run, images, judged, at, query, hits, sheet, report, time.perf_counter() - begun)
