"""Tables of vectors: written, and searched beside faiss: `python benchmarks/store.py`.

    OMP_NUM_THREADS=2 python benchmarks/store.py              # all that is missing
    OMP_NUM_THREADS=2 python benchmarks/store.py --row "approximate search" --again

All take turns in one process. Vectors lie about 4096 centres of unlike sizes, at length one, and so do the queries, which are
other draws. Exact search reads its table from disk each time, or holds its vectors in memory as faiss' flat index does.

The rules: `tacit embed` of a small image encoder at least 0.9 times its own forward rate; exact search of 1000 queries no
slower than faiss' flat index, the same rows; of 1 000 000 × 256 approximate search at least 20 times faster than exact, recall
at least 0.95; of 200 000 × 768 a funnel at least 10 times faster than faiss' flat index of all numbers, at 99 % of its nDCG.
"""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import torch
from rows import Measure, Row, main, turns

import tacit
from tacit.applying import embedding as tables
from tacit.data.generated import tiny_images
from tacit.embeddings import funnel as funnels
from tacit.embeddings import index as indexing
from tacit.embeddings import search as searched
from tacit.embeddings.provenance import Provenance
from tacit.embeddings.read import Table
from tacit.embeddings.rows import Rows
from tacit.embeddings.write import write
from tacit.numerics import topk

D, QUERIES, TOP = 256, 1000, 10


def drawn(rows: int, key: int) -> np.ndarray:
    """Rows about 4096 centres, at length one: float32, rows × D."""
    centres = torch.randn(4096, D, generator=torch.Generator().manual_seed(0))
    g = torch.Generator().manual_seed(key)
    which = (4096 * torch.rand(rows, generator=g) ** 2).long()
    return torch.nn.functional.normalize(centres[which] + torch.randn(rows, D, generator=g)).numpy()


def made(folder: str, rows: int) -> Table:
    """A table of `rows` vectors."""

    def batches() -> Any:
        for start in range(0, rows, 50_000):
            x = drawn(min(50_000, rows - start), 1 + start)
            none: list[Any] = [None] * len(x)
            yield Rows([str(start + i) for i in range(len(x))], none, none, x, none)

    provenance = Provenance("benchmark", "0" * 64, "dense", "cosine", D, "vector", "0")
    return write(Path(folder) / "rows.lance", batches(), provenance, total=rows)


def ids_of(hits: list[list[Any]]) -> np.ndarray:
    return np.array([[int(hit.id) for hit in line] for line in hits])


def shared(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean([len({*a} & {*b}) / TOP for a, b in zip(found.tolist(), truth.tolist())]))


def exact(rows: int, held: bool) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        table, queries, found = made(folder, rows), drawn(QUERIES, -1), dict[str, np.ndarray]()
        flat = faiss.IndexFlatIP(D)
        flat.add(table.vectors())

        def ours() -> None:
            found["tacit"] = ids_of(searched.search(table, queries, TOP))

        def theirs() -> None:
            found["faiss"] = flat.search(queries, TOP)[1]

        if held:
            table.hold()
        row = turns(5, tacit=ours, faiss=theirs)
    return row | {
        "n": {"queries": QUERIES, "rows": rows, "d": D, "top": TOP},
        "same rows": shared(found["tacit"], found["faiss"]),
    }


def approximate(rows: int) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        table, queries, found = made(folder, rows), drawn(QUERIES, -1), dict[str, np.ndarray]()
        build = turns(1, build=partial(indexing.build, table))
        index = indexing.indexed(table, print)

        def ours() -> None:
            found["index"] = ids_of(searched.search(table, queries, TOP, index=index))

        def all_rows() -> None:
            found["exact"] = ids_of(searched.search(table, queries, TOP))

        row = turns(3, index=ours, exact=all_rows)
        asked = indexing.unit(queries, "cosine")
        found_by = turns(3, candidates=lambda: index.candidates(asked, TOP + searched.MARGIN))
        row["of which candidates"] = found_by["seconds of the processor"]["candidates"]
        about = {"recall": shared(found["index"], found["exact"]), "lists": index.about.lists, "probes": index.about.probes}
        size = index.about.size / rows
    return row | about | {"n": {"queries": QUERIES, "rows": rows, "d": D, "top": TOP}, "bytes a row": size, "build": build}


def funnelled(rows: int) -> Row:
    """Of vectors whose numbers say less and less, as matryoshka's do; relevant are the rows about a query's own centre."""
    wide, centres = 768, rows // 10
    g = torch.Generator().manual_seed(0)
    falling = torch.arange(1, wide + 1) ** -0.5
    about, which = torch.randn(centres, wide, generator=g), torch.randint(centres, (rows + QUERIES,), generator=g)
    drawn_rows = torch.nn.functional.normalize((about[which] + 0.5 * torch.randn(len(which), wide, generator=g)) * falling)
    x, queries = drawn_rows[:rows].numpy(), drawn_rows[rows:].numpy()
    flat, found = faiss.IndexFlatIP(wide), dict[str, np.ndarray]()
    flat.add(x)
    funnel = funnels.Funnel(x, [funnels.Round(96, 40)])

    def ours() -> None:
        found["funnel"] = funnel.search(queries, TOP).positions.numpy()

    def all_numbers() -> None:
        found["flat"] = flat.search(queries, TOP)[1]

    row = turns(3, funnel=ours, flat=all_numbers)
    discount, wanted = 1 / np.log2(np.arange(TOP) + 2), which[rows:].numpy()
    ideal = np.cumsum(discount)[np.clip(np.bincount(which[:rows].numpy(), minlength=centres)[wanted], 1, TOP) - 1]
    relevant = {name: which.numpy()[there] == wanted[:, None] for name, there in found.items()}
    ndcg = {name: float((hits @ discount / ideal).mean()) for name, hits in relevant.items()}
    about_ours = {"ndcg": ndcg, "recall": shared(found["funnel"], found["flat"]), "rounds": [list(r) for r in funnel.rounds]}
    return row | about_ours | {"n": {"queries": QUERIES, "rows": rows, "d": wide, "top": TOP}}


def embedded() -> Row:
    with tempfile.TemporaryDirectory() as folder:
        images = tiny_images(6000, 32)
        run = tacit.pretrain(images.take(np.arange(256)), "simclr", out=f"{folder}/run", quiet=True, epochs=1, batch=64)
        samples = run.open(images)
        content, _ = samples.read(np.arange(256))
        (view,) = run.views.look(content, np.arange(256), 0, "plain")[0][None]
        encoder = run.encoder.eval()

        def forward() -> None:
            with torch.no_grad(), run.autocast():
                for _ in range(len(samples) // 256):
                    encoder(view)

        def embed() -> None:
            tables.embed(run, images.take(np.arange(len(samples) // 256 * 256)), out=f"{folder}/x.lance", overwrite=True)

        def rows() -> None:
            make = tables.Batches(run, samples, tables._one_each)
            for index in np.arange(len(samples) // 256 * 256).reshape(-1, 256):
                make(index)

        row = turns(9, embed=embed, forward=forward)
        row["of which rows"] = turns(9, rows=rows)["seconds of the processor"]["rows"]
        return row | {"n": {"images": len(samples), "encoder": run.config.encoder}}


MEASURES = {
    "embedding": Measure(embedded, (tables, tiny_images)),
    "exact search, 200 000": Measure(partial(exact, 200_000, False), (searched, topk, drawn, made)),
    "exact search, held, 200 000": Measure(partial(exact, 200_000, True), (searched, topk, drawn, made)),
    "funnel, 200 000": Measure(partial(funnelled, 200_000), (funnels, topk)),
    "approximate search, 1 000 000": Measure(partial(approximate, 1_000_000), (searched, indexing, topk, drawn, made)),
}

if __name__ == "__main__":
    faiss.omp_set_num_threads(torch.get_num_threads())
    main(__doc__, "store.json", MEASURES, {"faiss": faiss.__version__})
