"""`tacit fit`: a predictor from a run and a few labels."""

from pathlib import Path
from shlex import quote

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Device, Kind, Seed, Shared, given


def fit(
    run: str,
    labels: str,
    /,
    *,
    out: Path,
    data: str | None = None,
    head: str | None = None,
    abstain: float | None = None,
    folds: int | None = None,
    steps: int | None = None,
    kind: Kind = None,
    seed: Seed = None,
    device: Device = None,
    shared: Shared = NO_FLAGS,
) -> Answer:
    """Put a head on a run's encoder from a few labels; say how good it is, by cross-validation.

    Parameters
    ----------
    run
        The folder of a run.
    labels
        A .csv or .tsv with the columns id (or path) and label.
    out
        The folder of the head to write.
    data
        The source that the labels are of; what the run was trained on if not given.
    head
        probe, prototypes or sea, on frozen embeddings; finetune or core_tuning, which train the encoder too: minutes. If not
        given, the frozen one that is best on the labels.
    abstain
        The share of errors wanted among those that are answered, such as 0.05; everything is answered if not given.
    folds
        Of the cross-validation; 5 if not given.
    steps
        Of 64 samples, where the encoder is trained; 100 if not given.
    """
    options = given(data=data, head=head, abstain=abstain, folds=folds, steps=steps, kind=kind, seed=seed, device=device)
    found = tacit.fit(run, labels, out=out, **options)
    return Answer(str(found), found.as_dict(), f"tacit predict {quote(str(out))} DATA --out predictions.csv")
