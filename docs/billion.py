"""docs/billion.md: 10^9 samples planned on paper, from what the benchmarks stored."""

import json
from pathlib import Path
from runpy import run_path
from typing import Any

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
MODEL = run_path(str(Path(__file__).parent / "scaling.py"))
N = 10**9
WORKERS = 64  # machines with one GPU each, to embed with
VIT = 9.2e9  # FLOP of ViT-S/16 forward, one image of 224 pixels: 4.6 billion multiply-adds
JPEG = 110e3  # bytes of an ImageNet photograph, the mean
DISK, STORE, GPU = 0.08, 0.023, 2.5  # dollars: a GB of SSD, and of object storage, a month; an hour of a GPU of the H100's kind
DAY = 86_400


def found(file: str) -> dict[str, Any]:
    return json.loads((RESULTS / f"{file}.json").read_text())


def page() -> str:
    """The whole document."""
    here, memory, store, search = found("billion"), found("embed_memory"), found("store"), found("search")
    index, exact, near = store["approximate search, 1 000 000"], store["exact search, held, 200 000"], search["k-means"]
    core = memory["many"]["images_per_second"]
    gpu = MODEL["SHARE"] * MODEL["PEAK"] / VIT
    writer, row = here["rows a second of the processor"], here["bytes a row"]
    built = index["build"]["seconds of the processor"]["build"] / index["n"]["rows"]
    asked = index["seconds of the processor"]["index"] / index["n"]["queries"]
    compared = exact["seconds of the processor"]["tacit"] / exact["n"]["queries"] / exact["n"]["rows"]
    means = (
        near["seconds of the processor"]["tacit"] / near["n"]["rows"] / near["n"]["k"] / near["n"]["rounds"] / near["n"]["d"]
    )
    rows = [
        ("photographs", f"{N * JPEG / 1e12:.0f} TB", f"{JPEG / 1e3:.0f} kB each", f"${N * JPEG / 1e9 * STORE:,.0f} a month"),
        ("the table", f"{N * row / 1e12:.1f} TB", "measured, `billion.json`", f"${N * row / 1e9 * DISK:,.0f} a month"),
        (
            "the index, in memory",
            f"{N * index['bytes a row'] / 1e9:,.0f} GB",
            "measured, `store.json`",
            "a machine that has it",
        ),
        ("vectors to curate", f"{3 * N * 1024 / 1e12:.1f} TB", "three copies of 256 float32, as `curate` holds", "no machine"),
    ]
    hours = [
        ("embed, a small ResNet at 32 pixels, 1 machine of 2 cores", N / core / DAY, "measured, `embed_memory.json`"),
        (f"the same on {WORKERS} such machines", N / core / WORKERS / DAY, "divided: batches need nothing of one another"),
        ("embed, ViT-S/16 at 224 pixels, 1 GPU", N / gpu / DAY, "the model of [scaling.md](scaling.md), not measured"),
        (f"the same on {WORKERS} GPUs", N / gpu / WORKERS / DAY, "divided"),
        ("write the table, one process", N / writer / DAY, "measured, `billion.json`, seconds of the processor"),
        ("build the index, 2 cores' worth", N * built / 2 / DAY, "measured, `store.json`; in proportion, which is kind"),
        (
            "k-means, 65 536 centres, 10 rounds, one core",
            N * 65_536 * 10 * 256 * means / DAY,
            "measured, `search.json`, in proportion",
        ),
        (
            "one exact query of 1 000 asked together, one core",
            N * compared / DAY,
            f"measured, `store.json`: {N * compared:,.0f} s",
        ),
    ]
    parts = [
        "# 10^9 samples, on paper",
        "Nobody has run Tacit on 10^9 samples. This page says from measured parts what that would take, and where it "
        "would break. "
        "It is generated (`python docs/generate.py`) from `benchmarks/results`; prices and what is not measured are named.",
        "## Storage",
        table(("", "size", "from", "cost"), rows),
        f"Prices: ${STORE} a GB and month of object storage, ${DISK} of SSD. A row has 256 numbers, an id, a path, a "
        f"label and a "
        f"picture of {here['n']['bytes of a picture']} bytes.",
        "## Time",
        table(("", "days", "from"), [(what, f"{days:,.2g}", why) for what, days, why in hours]),
        f"{WORKERS} GPUs at ${GPU} an hour embed them for ${N / gpu / 3600 * GPU:,.0f}, if they are fed: {WORKERS} of "
        f"them read "
        f"{WORKERS * gpu * JPEG / 1e9:,.0f} GB/s of photographs, and decode {WORKERS * gpu:,.0f} of them a second, which "
        f"is more than "
        "any machine's cores do beside its GPU. So decoding, not the encoder, decides: store shrunk images.",
        f"A query of the index costs {asked * 1e3:.2g} ms of a core at 10^6 rows, with a recall of {index['recall']:.2f} "
        f"measured there.",
        "## Where it breaks",
        f"- **One writer.** It takes {writer:,} rows a second of its core and no more, so that more than "
        f"{writer / gpu:.1f} GPUs of "
        "ViT-S wait for it. Beyond that, embed parts of the source into tables of their own, one for each writer: "
        "sources are "
        "folders, and `tacit search` asks one table.\n"
        "- **Ids.** The caller and each worker list all ids of the source; 10^9 of 40 bytes and Python's 49 around each "
        "are 90 GB. Cut "
        "the source into parts of 10^7 first. What is gone on with after a kill is told by a set of ids, which is as large.\n"
        "- **Near duplicates.** `tacit curate --engine ray` shares out comparing, not memory: each worker holds all "
        "vectors, and the "
        "driver's decisions are one pass in order. 10^8 rows of 256 numbers are 100 GB for each machine; 10^9 need a "
        "search by parts.\n"
        "- **Curation by clusters** holds three copies of the vectors in one memory, and refuses what does not fit.\n"
        "- **The index** is faiss', in one memory. What was measured is 10^6 rows, and lists and probes chosen there do "
        "not carry over.\n"
        "- **The map and the report** draw samples, and are as small as before.",
        "## On many machines",
        "```sh\npip install 'tacit[ray]'\nray start --head                       # and on the others: ray start "
        "--address=HEAD:6379\n"
        "RAY_ADDRESS=HEAD:6379 tacit embed runs/photos photos/ --out photos.lance --engine ray\n"
        "RAY_ADDRESS=HEAD:6379 tacit curate photos.lance --drop-duplicates --out m.parquet --engine ray\n```",
        "Without RAY_ADDRESS a cluster of this machine's cores is started. A worker is a process with the encoder: one "
        "for each GPU of "
        "the cluster, or for each CPU. Workers find the run, the source and the table under the same paths, on a file "
        "system that all "
        "share; a source that lists other ids there is refused. Batches go out in order and come back in order, two to "
        "a worker at "
        "a time, so memory is that of a few batches. The caller alone writes, commits every half minute and goes on "
        "after a kill as "
        "without Ray. A worker that dies is made anew, up to eight times, and its batches are done again. "
        "Machines of one kind give the same vectors; one that computes in bfloat16 beside one that does not gives others.",
    ]
    commands = "`python benchmarks/billion.py`, `embed_memory.py`, `store.py`, `search.py`"
    loads = f"load while the writer was measured: {here['load'][0]:.1f} to {here['load'][1]:.1f}"
    return "\n\n".join([*parts, f"Measured by {commands}; {loads}.", ""])


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [heads, ("---",) * len(heads), *rows])
