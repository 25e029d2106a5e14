"""What the loop is told: a recipe, the means to build, and the streams that a method draws on."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from lightning_fabric import Fabric
from torch import nn

from tacit.errors import TacitError
from tacit.method import Facts, Labelled, Method, Recipe, Stage, View, nested, streams
from tacit.numerics import processes
from tacit.training.streams import Source, Stream, move

LOOKS = 20  # at most, of the observers at a stage


class Moment(NamedTuple):
    """When the observers look."""

    stage: int
    epoch: int  # so many are done
    epochs: int  # of so many


Observer = Callable[[Method, Callable, Moment], dict[str, float]]  # of a method, under `autocast()`: numbers by name


@dataclass(frozen=True)
class Setting:
    """All that the loop is told; what it trains comes from the story."""

    fabric: Fabric
    factory: Callable[..., nn.Module | None]  # of a fresh encoder
    build: Callable[[Stage, nn.Module | None], Method]  # of a stage's method on an encoder
    recipe: Callable[[Stage], Recipe]  # of a stage, the user's changes included
    source: Callable[[str, View | Labelled], Source]  # of a stream by name and kind; labels of declared streams alone
    facts: Facts
    seed: int = 0
    folder: Path | None = None  # None: nothing is written
    quiet: bool = False
    log_steps: int = 10
    save_seconds: float = 60.0
    sharded: bool = False  # encoders, over all processes
    most_steps: int = 0  # of every stage; 0: all of them
    observers: tuple[Observer, ...] = ()  # they look at the method and never change it
    usual: Source | None = None  # of the main samples in pairs of the views that their kind has by default


def open_streams(method: Method, recipe: Recipe, setting: Setting, key: int) -> dict[str, Stream]:
    """The method's streams by name; the first sets the epoch. What method and recipe cannot do together is said here."""
    name, multiple = type(method).__name__, processes.size() * recipe.accumulate
    if any(inner.whole_batch for inner in nested(method)):
        if recipe.accumulate > 1:
            raise TacitError(f"{name} compares all samples of a batch, so it cannot be accumulated; leave --accumulate out.")
        if recipe.batch < 2:
            raise TacitError(f"{name} compares the samples of a batch and got batches of 1; give --batch 2 or more.")
    if strange := set(recipe.turns) - set(method.players):
        players = ", ".join(method.players) or "no"
        raise TacitError(f"--turns names {', '.join(sorted(strange))}, and {name} has {players} players; leave it out.")
    if recipe.batch // recipe.accumulate < 2 and any(isinstance(m, nn.BatchNorm1d) for m in method.modules()):
        raise TacitError(
            f"{name} normalises over a batch and got {'batches' if recipe.accumulate == 1 else 'micro-batches'} of 1; "
            f"give --batch {2 * recipe.accumulate} or more."
        )
    patch = getattr(method.encoder, "patch", 0)  # of an encoder that cuts images into patches: those are what is masked
    feeds: dict[str, Stream] = {}
    for stream, kind in streams(method).items():
        labelled = isinstance(kind, Labelled)
        if not isinstance(kind, Labelled) and recipe.small_crops >= 0:
            kind = kind.with_small(recipe.small_crops)
        if not isinstance(kind, Labelled) and isinstance(patch, int) and patch > 0:
            kind = kind.with_patch(patch)
        size = kind.batch if isinstance(kind, Labelled) else recipe.batch
        length, device = (0 if feeds else recipe.epoch_batches), setting.fabric.device
        source = setting.source(stream, kind)
        shared = getattr(source.samples, "context", None)  # what all samples share: a graph, a vocabulary
        context = None if shared is None else move(shared, device)
        feeds[stream] = Stream(stream, source, size, key, device, labelled, context, multiple, length)
    return feeds


def observed(setting: Setting, method: Method, now: Moment) -> dict[str, float]:
    """What the observers say after an epoch of a stage, alike on every process; {} where none is asked.

    They are asked after every epoch where a stage has at most LOOKS, else after every second, third, …: the last is always
    among them. Without a folder nobody would read it. Which modules train and which do not is put back exactly.
    """
    if setting.folder is None or (now.epochs - now.epoch) % -(-now.epochs // LOOKS):
        return {}
    modes = {module: module.training for module in method.modules()}
    try:
        with torch.no_grad():
            said = [observer(method, setting.fabric.autocast, now) for observer in setting.observers]
    finally:
        for module, mode in modes.items():
            module.training = mode
    return {name: value for one in said for name, value in one.items()}


def open_usual(setting: Setting, main: Stream) -> list[Stream]:
    """The main samples in pairs of their kind's default views, by which a run's own are measured; none where it has none."""
    if setting.usual is None:
        return []
    return [Stream("usual", setting.usual, 1, main.key, main.device, context=main.context)]


def close_streams(feeds: dict[str, Stream]) -> None:
    """End all reading ahead."""
    for feed in feeds.values():
        feed.end()
