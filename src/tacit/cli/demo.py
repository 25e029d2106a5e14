"""`tacit demo`: the whole story in a few minutes, on images it renders itself."""

from pathlib import Path

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Seed, Shared, given


def demo(out: Path | None = None, *, seed: Seed = None, quiet: bool = False, shared: Shared = NO_FLAGS) -> Answer:
    """Render a small honest image set, pretrain, judge, search, and say what to type next.

    Parameters
    ----------
    out
        The folder to write to; tacit-demo if not given.
    quiet
        No progress line.
    """
    made = tacit.demo(**given(out=out, seed=seed), quiet=quiet)
    right = sum(hit.label == made.query.split("/")[1] for hit in made.hits)
    text = f"""{made.evaluation}

The {len(made.hits)} nearest of {made.query}: {right} show the same letter ({made.sheet}).
Everything took {made.seconds:.0f} seconds. Open {made.report} in a browser.

The same, step by step, on these images or your own (how these are seen and trained on stands in {made.run.path / "run.yaml"}):
  tacit inspect {made.images}
  tacit preview {made.images} --method simclr
  tacit pretrain {made.images} --method simclr --out runs/mine
  tacit evaluate runs/mine {made.images}
  tacit embed runs/mine {made.images} --out mine.lance
  tacit search mine.lance {made.images / made.query} --top 10"""
    facts = {
        "run": made.run.path,
        "images": made.images,
        "table": made.table,
        "sheet": made.sheet,
        "report": made.report,
        "seconds": made.seconds,
        "evaluation": made.evaluation,
        "hits": [{"id": hit.id, "score": hit.score, "label": hit.label} for hit in made.hits],
    }
    return Answer(text, facts)
