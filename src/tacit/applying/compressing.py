"""Codes of a table, and funnels: found beside it, or made, with what they find said."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tacit.embeddings.codes import WANTED, About, Code, Codes, Linear, build, opened
from tacit.embeddings.index import TOP
from tacit.embeddings.read import Table
from tacit.errors import TacitError
from tacit.methods.wrappers.matryoshka import Matryoshka
from tacit.run import Run

FUNNEL = "funnel"  # the name of its codes
STEPS, BATCH = 1500, 256  # of what learns the numbers of a `tldr` code
FEWEST = 6  # rows that it learns of: one, and its five neighbours


def codes_of(table: Table, code: str, told: Callable[[str], None] = lambda sentence: None) -> Codes:
    """The codes of this spelling that lie beside a table, made where there are none of it as it is now."""
    wanted = Code.read(code)
    found = opened(table, str(wanted))
    if found is None:
        told(f"Making codes {wanted} of {len(table):,} vectors beside {table.path}, for there are none of it as it is now.")
        found = build(table, wanted, tldr_of)
    told(told_of(found.about, table.provenance.dim))
    return found


def funnel_of(table: Table, run: Run | str | Path | None = None, told: Callable[[str], None] = lambda sentence: None) -> Codes:
    """Signs of the first numbers of each vector, of as few as find WANTED of the nearest, or of the most that were nested.

    How many there may be, the run of matryoshka that made the table says: at its address, or `run`.
    """
    found = opened(table, FUNNEL)
    if found is None:
        sizes = _sizes(table, run)
        told(f"Making a funnel of {len(table):,} vectors beside {table.path}, for there is none of it as it is now.")
        for size in sizes:
            found = build(table, Code("first", size, "binary"), name=FUNNEL)
            if found.about.recall >= WANTED:
                break
    assert found is not None, "a run has sizes"
    told(told_of(found.about, table.provenance.dim))
    return found


def told_of(about: About, dim: int) -> str:
    """How small and how good codes are."""
    return (
        f"Codes {about.code}: {about.bytes:g} bytes a vector in place of {4 * dim:,}; they find {about.alone:.1%} of the {TOP} "
        f"nearest of the table's own rows, and {about.recall:.1%} where all numbers of {about.shortlist} candidates for each "
        "are compared."
    )


def _sizes(table: Table, run: Run | str | Path | None) -> list[int]:
    """How many first numbers are a representation by themselves."""
    run = run if isinstance(run, Run) else Run(table.provenance.run if run is None else run)
    trained = run.whole() if run.config.method == "matryoshka" else None
    if not isinstance(trained, Matryoshka):
        raise TacitError(
            f"{table.path} was embedded by a run of {run.config.method}, whose first numbers are no representation by "
            "themselves; train with --method matryoshka, or give --codes in place of --funnel."
        )
    return list(trained.sizes)


def tldr_of(rows: np.ndarray, numbers: int) -> Linear:
    """The linear encoder that `tldr` learns of rows, n × d."""
    from tacit.pretraining import pretrain

    if len(rows) < FEWEST:
        raise TacitError(f"A tldr code is learned of {FEWEST} rows or more, and {len(rows)} came; give another code.")
    with tempfile.TemporaryDirectory() as folder:
        batch = BATCH if len(rows) >= BATCH else len(rows) // 2
        how: dict[str, Any] = {"depth": 0, "width": numbers, "batch": batch, "epochs": -(-STEPS * batch // len(rows))}
        run = pretrain(
            rows, "tldr", out=Path(folder) / "run", recipe="small", encoder="mlp", precision="fp32", seed=0, quiet=True, **how
        )
        probes = np.concatenate([np.zeros((1, rows.shape[1])), np.eye(rows.shape[1])]).astype(np.float32)
        bias, *axes = run.embed(probes).numpy()  # what standardises the views is linear, too
    return Linear((np.stack(axes) - bias).T, bias)
