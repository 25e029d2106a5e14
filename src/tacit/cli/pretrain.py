"""`tacit pretrain`: train an encoder without labels."""

from pathlib import Path
from shlex import quote
from typing import Annotated

from cyclopts import Parameter

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Device, Kind, Seed, Shared, Usage, given
from tacit.cli.options import read


def pretrain(
    data: str | None = None,
    /,
    *,
    method: str | None = None,
    out: Path | None = None,
    encoder: str | None = None,
    init: str | None = None,
    resume: bool = False,
    minutes: float | None = None,
    recipe: str | None = None,
    seed: Seed = None,
    device: Device = None,
    precision: str | None = None,
    devices: int | None = None,
    nodes: int | None = None,
    strategy: str | None = None,
    size: int | None = None,
    snapshots: int | None = None,
    quiet: bool = False,
    kind: Kind = None,
    shared: Shared = NO_FLAGS,
    **options: Annotated[str, Parameter(help="Any other option by its own name: --temperature 0.2, --lr 1e-3, --blur 0.5.")],
) -> Answer:
    """Train an encoder without labels.

    The options of one method, its recipe and its views: `tacit pretrain --help --method simclr`.

    Parameters
    ----------
    data
        As for `tacit inspect`. May be left out with --resume.
    method
        How to learn; if not given, what measurements advise for such data. `tacit methods` lists them.
    out
        The folder of the run.
    encoder
        What is trained; chosen from data and machine, and said, if not given. timm/NAME takes any of timm's.
    init
        Start from the weights of another run's folder, or of timm/NAME.
    resume
        Go on with the run in --out, with the data and options it was started with.
    minutes
        Make the schedules fit this time.
    recipe
        A named recipe of the method.
    precision
        auto, bf16 or fp32; auto if not given.
    devices
        How many devices of a machine train together; 1 if not given, or what torchrun or SLURM has started.
    nodes
        On how many machines; 1 if not given. The command is started on each.
    strategy
        ddp: every device holds all that is trained (the default); fsdp: each holds a share of the encoder.
    size
        Height and width of a view of images, in pixels; of videos --side, of pairs --first '{size: 32}'.
    snapshots
        How often, evenly spaced, the encoder is kept while it trains, for `tacit compare`; not at all if not given.
    quiet
        No progress line.
    """
    if data is None and not resume:
        raise Usage("tacit pretrain got no DATA; name a folder or a file, or a run to go on with: --resume --out RUN.")
    if resume and data is None and out is None:
        raise Usage("--resume came without the run to go on with; say --out RUN.")
    rest = read(options)
    run = tacit.pretrain(
        data,
        **given(method=method, out=out, encoder=encoder, init=init, minutes=minutes, recipe=recipe, seed=seed),
        **given(
            device=device,
            precision=precision,
            devices=devices,
            nodes=nodes,
            strategy=strategy,
            size=size,
            kind=kind,
            snapshots=snapshots,
        ),
        resume=resume,
        quiet=quiet,
        **rest,
    )
    then = f"tacit evaluate {quote(str(run.path))} {quote(data) if data and not resume else 'DATA'}"
    return Answer(f"The run is in {run.path}.", {"path": run.path, "config": run.config}, then)
