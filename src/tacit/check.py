"""`check_method`: whether a method keeps the contract. Run it on your own; the tests run it on every method found."""

import json
import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit import encoders
from tacit.config import Config
from tacit.data.clouds.shapes import shapes
from tacit.data.generated import clusters, groups, pairs, table, tiny_images
from tacit.data.networks.generated import communities, molecules
from tacit.data.samples import Samples
from tacit.data.series.generated import rhythms
from tacit.data.sounds.generated import diphthongs
from tacit.data.text.generated import topics
from tacit.data.video.generated import moving_letters
from tacit.evaluation.labelled.knn import knn_predict
from tacit.material import Material
from tacit.method import Labelled, Method, Recipe, Trained, streams
from tacit.method import options as options_of
from tacit.numerics.spectra import effective_rank
from tacit.pretraining import choose, initial, setting_of, wanted
from tacit.run import untrained_encoder
from tacit.training.loop import Training, train
from tacit.training.spawned import Pair
from tacit.training.state import reseed
from tacit.training.stopping import Stopping
from tacit.training.turns import within
from tacit.views import modality
from tacit.views.kinds import Apart, Edited, Hyperedges, MaskedTokens, Paired, Shuffled, Speeds

STEPS = 3  # of the comparison of processes
CLOSE = 1e-5


@dataclass(frozen=True)
class Toy:
    """A small set on which a method is checked: one where an untrained encoder fails."""

    data: Callable[[], Samples]
    options: Mapping[str, Any] = field(default_factory=dict)  # of method, recipe, views and encoder
    streams: Mapping[str, Callable[[], Samples]] = field(default_factory=dict)
    gain: float = 0.1  # of kNN accuracy over the untrained encoder
    elsewhere: bool = True  # whether it must run on other kinds of data too
    score: Callable[["Case", Trained], tuple[float, float]] | None = None  # (wanted, reached), where kNN says nothing


def vectors() -> Samples:
    return clusters(1280, dim=256)


def images() -> Samples:
    return tiny_images(1280, size=12)


def papers() -> Samples:
    return communities(1280)


def whole_graphs() -> Samples:
    return molecules(640, 16, 16)


def clouds() -> Samples:
    return shapes(160)


def videos() -> Samples:
    return moving_letters(640, size=16)


def sounds() -> Samples:
    return diphthongs(160)


def hypergraph() -> Samples:
    return groups(320)


def table_rows() -> Samples:
    return table(1280)


def waves() -> Samples:
    return rhythms(640)


def subjects() -> Samples:
    return topics(1280)


def two_parts() -> Samples:
    return pairs(1280)


QUICK = {"optimizer": "adamw", "scale": "none", "schedule": "constant", "lr": 3e-3, "batch": 64, "warmup": 0}
VECTORS = Toy(vectors, {**QUICK, "width": 64, "depth": 2, "noise": 0.5, "drop": 0.5, "epochs": 8})
IMAGES = Toy(images, {**QUICK, "width": 16, "crop": [0.5, 1.0], "epochs": 12})
NODES = Toy(papers, {**QUICK, "lr": 1e-3, "middle": 64, "width": 32, "epochs": 8})
GRAPHS = Toy(whole_graphs, {**QUICK, "width": 32, "depth": 2, "epochs": 8})
CLOUDS = Toy(clouds, {**QUICK, "points": 64, "epochs": 1})  # on which no method learns so fast: it must run
VIDEOS = Toy(videos, {**QUICK, "width": 8, "depth": [1, 1], "frames": 4, "crop": [0.6, 1.0], "flip": 0.0, "epochs": 6})
SOUNDS = Toy(sounds, {**QUICK, "seconds": 0.2, "epochs": 1})  # it must run
HYPERGRAPH = Toy(hypergraph, {**QUICK, "width": 32, "dropout": 0.0, "epochs": 20})
TABLES = Toy(table_rows, {**QUICK, "width": 64, "depth": 2, "corrupt": 0.5, "epochs": 12})
SERIES = Toy(waves, {**QUICK, "width": 32, "depth": 4, "epochs": 16})
TEXTS = Toy(subjects, {**QUICK, "width": 64, "dropout": 0.0, "epochs": 12})
PARTS = Toy(two_parts, {**QUICK, "epochs": 16})


class Failed(AssertionError):
    """A promise of the contract that is not kept."""


def check_method(cls: type[Method], toy: Toy | None = None, pair: Pair | None = None) -> list[str]:
    """Check a method in full on its toy, and built and stepped once on every other kind of data that offers its views.

    Raises `Failed` naming the promise and what was found; returns the names of the promises that were kept. `pair` are two
    processes to share between checks; without it two are started.
    """
    toy = toy or _home(cls)
    case = Case(cls, toy)
    kept = []
    for check in (_documented, _steps, _round_trip, _represents, _learns, _resumes, _survives_bf16):
        check(case)
        kept.append(check.__name__.lstrip("_"))
    if pair is None:
        with Pair() as pair:
            _two_processes(case, pair)
    else:
        _two_processes(case, pair)
    kept.append("two_processes")
    for other in (VECTORS, IMAGES, TABLES, TEXTS, SERIES, SOUNDS, NODES, GRAPHS, HYPERGRAPH, CLOUDS, VIDEOS):
        if toy.elsewhere and other.data is not toy.data and _offers(cls, other.data().kind) and not toy.streams:
            own = {k: v for k, v in toy.options.items() if k in options_of(cls)}  # the papers' heads are too wide for a toy
            _steps(
                Case(cls, Toy(other.data, {**{k: v for k, v in other.options.items() if k not in ("width", "depth")}, **own}))
            )
            kept.append(f"steps_on_{other.data().kind}")
    return kept


class Case:
    """A method on a toy: everything that a run needs, built anew by each call of `train`."""

    def __init__(self, cls: type[Method], toy: Toy, **changes: Any):
        self.cls, self.toy = cls, toy
        named = {name: opened() for name, opened in toy.streams.items()}
        self.config, self.materials = configure(cls, toy.data(), {**toy.options, **changes}, named)

    def train(self, folder: Path | None = None, steps: int = 0, config: Config | None = None, **how: Any) -> Trained:
        """Train it, for all its epochs or so many steps of each stage."""
        config = config or self.config
        setting = replace(setting_of(config, self.materials, folder, quiet=True), most_steps=steps, **how)
        return train(self.cls.stages(**config.options), setting, initial(config, setting))

    def first_stage(self) -> Training:
        """Its first stage, set up and not yet run."""
        setting = setting_of(self.config, self.materials, None, quiet=True)
        reseed(setting.seed, 0, "story")
        stage = next(self.cls.stages(**self.config.options))
        return Training(stage, 0, initial(self.config, setting), setting, Stopping())


def configure(
    cls: type[Method], data: Samples, options: Mapping[str, Any], named: Mapping[str, Samples], precision: str = "fp32"
) -> tuple[Config, dict[str, Material]]:
    """Choices for a check, on the CPU; what a method that is solved would refuse, since it takes no steps, is left out."""
    idle = set() if cls.solve is Method.solve else {one.name for one in fields(Recipe)} - {"batch"}
    given = {name: value for name, value in options.items() if name not in idle}
    return choose(data, cls, None, None, "paper", named, 0, "cpu", precision, 1, None, None, given)


def _documented(case: Case) -> None:
    cls = case.cls
    _ensure(bool(cls.__doc__), "it has a docstring")
    _ensure(hasattr(cls, "paper"), "it names its paper")


def _steps(case: Case) -> None:
    """One batch: the loss is finite; every parameter that asks for gradient and is not held gets some, nothing else does."""
    stage = case.first_stage()
    if stage.optimizer is None:
        return
    got: set[str] = set()
    asking = {name for name in stage.focus.asking if not any(within(name, held) for held in stage.recipe.hold)}
    original = stage.stepper.step

    def noted(*arguments: Any, **named: Any) -> Any:
        for name, p in stage.method.named_parameters():
            if p.grad is not None:
                _ensure(name in asking, f"{name} asks for no gradient and gets none")
                _ensure(bool(torch.isfinite(p.grad).all()), f"the gradient of {name} is finite")
                got.add(name)
        return original(*arguments, **named)

    stage.stepper.step = noted
    stage.open_epoch()
    index = stage.main.order(0, stage.plan)[0]
    stage.batch([stage.main.load(index, 0, 0, stage.plan)], 0.0)
    means, _ = stage.journal.means(False)
    _ensure(all(map(math.isfinite, means.values())), f"the loss is finite, not {means}")
    _ensure(not (asking - got), f"every parameter that asks for gradient gets some; without are {sorted(asking - got)[:5]}")


def _round_trip(case: Case) -> None:
    """What is saved and restored into a newly built method represents alike."""
    with tempfile.TemporaryDirectory() as folder:
        trained = case.train(Path(folder), steps=2)
        again = case.train(Path(folder), steps=2)  # everything is finished: only restored
    same_state(trained.method.state_dict(), again.method.state_dict(), 0, "restored state")
    _ensure(torch.equal(trained.embed(), again.embed()), "a restored method represents as before")


def _represents(case: Case) -> None:
    """Representing changes no state and does not depend on what was represented before."""
    trained = case.train(steps=2)
    before = {name: value.clone() for name, value in trained.method.state_dict().items()}
    first, second = trained.embed(), trained.embed()
    _ensure(first.ndim == 2 and len(first) == len(case.materials["main"].samples), "represent gives one row per sample")
    _ensure(torch.equal(first, second), "representing twice gives the same")
    same_state(before, trained.method.state_dict(), 0, "state after representing")


def _learns(case: Case) -> None:
    """kNN accuracy rises above the untrained encoder's, or the toy's own score improves; nothing collapses."""
    trained = case.train()
    if case.toy.score is not None:
        wanted, reached = case.toy.score(case, trained)
        _ensure(reached > wanted, f"it learns: {reached:.3f} reached, more than {wanted:.3f} wanted")
        return
    samples = case.materials["main"].samples
    z = trained.embed()
    before, after = neighbours(untrained(case), samples), neighbours(z, samples)
    _ensure(
        after >= before + case.toy.gain, f"kNN accuracy rises by {case.toy.gain}: {before:.3f} untrained, {after:.3f} trained"
    )
    _ensure(float(effective_rank(z - z.mean(0))) > 1.5, "the representation does not collapse")


def _resumes(case: Case) -> None:
    """Killed between two saves in the first and in the last stage, a resumed run equals the uninterrupted one bit for bit.

    Its batches are so large that an epoch ends on the way.
    """
    case, steps = Case(case.cls, case.toy, batch=128), 24
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        whole = case.train(Path(one), steps=steps, log_steps=2, save_seconds=0.0)
        last = len(list(Path(one).glob("stage-*.safetensors"))) - 1
        for stage in sorted({0, last}):
            killed_at(11, stage, lambda: case.train(Path(two), steps=steps, log_steps=2, save_seconds=0.0))
        resumed = case.train(Path(two), steps=steps, log_steps=2, save_seconds=0.0)
        same_state(whole.method.state_dict(), resumed.method.state_dict(), 0, "state of the resumed run")
        logs = [[_timeless(line) for line in (Path(f) / "metrics.jsonl").read_text().splitlines()] for f in (one, two)]
        _ensure(logs[0] == logs[1], "the resumed run's log equals the uninterrupted one's")


def _survives_bf16(case: Case) -> None:
    """In bfloat16 the loss stays finite and near that of float32."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        case.train(Path(one), steps=6, log_steps=6)
        case.train(Path(two), steps=6, log_steps=6, config=replace(case.config, precision="bf16"))
        losses = [_losses(Path(folder)) for folder in (one, two)]
    for full, half in zip(*losses):
        _ensure(math.isfinite(half), "the loss in bfloat16 is finite")
        _ensure(abs(full - half) <= 0.05 * abs(full) + 0.05, f"the loss in bfloat16 is near float32's: {half:.4f}, {full:.4f}")


def _two_processes(case: Case, pair: Pair) -> None:
    """Two processes that share each batch reach what one reaches: losses and the whole state after three steps of SGD."""
    alone = several_steps(case.cls, case.toy)
    first, *rest = pair.run(several_steps, case.cls, case.toy)
    _ensure(
        np.allclose(alone["losses"], first["losses"], rtol=CLOSE, atol=CLOSE),  # the first process alone keeps a log
        f"two processes have the loss of one: {alone['losses']}, {first['losses']}",
    )
    for other in (first, *rest):
        same_state(alone["state"], other["state"], CLOSE, "state of two processes")


def several_steps(cls: type[Method], toy: Toy) -> dict[str, Any]:
    """Three steps of plain SGD of every stage: the losses and the state they lead to."""
    case = Case(cls, toy, optimizer="sgd", momentum=0.0, lr=0.02)
    with tempfile.TemporaryDirectory() as folder:
        trained = case.train(Path(folder), steps=STEPS, log_steps=1)
        losses = _losses(Path(folder))
    return {"losses": losses, "state": {k: v.clone() for k, v in trained.method.state_dict().items()}}


def same_state(mine: Mapping[str, Tensor], other: Mapping[str, Tensor], tolerance: float, what: str) -> None:
    """Whether two states agree, exactly or within a tolerance relative to the largest entry.

    The tolerance holds for a tensor's root mean square; single entries may be ten times as far apart, since rounding can put
    a ReLU's unit on the other side of nought, and that unit's row of weights then moves by a step of its own.
    """
    _ensure(mine.keys() == other.keys(), f"{what}: the same names")
    for name, value in mine.items():
        if tolerance == 0 or not value.is_floating_point():
            _ensure(torch.equal(value, other[name]), f"{what}: {name} is equal")
        else:
            gap = (value - other[name]).double().abs() if value.numel() else torch.zeros(1)
            limit = tolerance * max(1.0, float(value.abs().max()) if value.numel() else 0.0)
            far, whole = float(gap.max()), float(gap.square().mean().sqrt())
            _ensure(whole <= limit, f"{what}: {name} differs by {whole:.2e} (root mean square), at most {limit:.2e}")
            _ensure(far <= 10 * limit, f"{what}: an entry of {name} differs by {far:.2e}, at most {10 * limit:.2e}")


def killed_at(step: int, stage: int, training: Callable[[], Any]) -> None:
    """Run a training that dies at a step of a stage, saving nothing more."""
    beat = Training.beat

    def die(self: Training, progress: float) -> None:
        if (self.number, self.at.step) == (stage, step):
            raise _Killed
        beat(self, progress)

    Training.beat = die  # type: ignore[method-assign]
    try:
        training()
    except _Killed:
        return
    finally:
        Training.beat = beat  # type: ignore[method-assign]


def neighbours(z: Tensor, samples: Samples, k: int = 10) -> float:
    """kNN accuracy within a training set: four fifths against one."""
    labels, test = torch.from_numpy(samples.labels), torch.arange(len(z)) % 5 == 0
    guess = knn_predict(z[~test], labels[~test], z[test], k, 0.1, "cosine")
    return float((guess == labels[test]).float().mean())


def untrained(case: Case) -> Tensor:
    """What a fresh encoder says of the toy."""
    stage = case.first_stage()
    encoder = untrained_encoder(case.config)()
    assert encoder is not None, "a method without an encoder has no untrained one to be compared with"
    stage.method.encoder = encoder
    return stage.embed(how=lambda batch: encoder.eval()(batch.views[0]))


class _Killed(Exception):
    pass


def _home(cls: type[Method]) -> Toy:
    kinds = [k.views if isinstance(k, Labelled) else k for k in streams(cls).values()]
    if any(isinstance(kind, Paired) for kind in kinds):
        return PARTS
    if any(isinstance(kind, Hyperedges) for kind in kinds):
        return HYPERGRAPH
    if any(isinstance(kind, Edited) for kind in kinds):
        return GRAPHS
    if any(isinstance(kind, Apart | Speeds | Shuffled) for kind in kinds):
        return VIDEOS
    if any(isinstance(kind, MaskedTokens) for kind in kinds):
        return TEXTS
    return next((toy for kind, toy in {"vector": VECTORS, "image": IMAGES}.items() if _offers(cls, kind)), CLOUDS)


def _offers(cls: type[Method], kind: str) -> bool:
    """Whether a kind of data offers the views and has an encoder for what the method wants."""
    kinds = [k.views if isinstance(k, Labelled) else k for k in streams(cls).values()]
    if not all(type(view) in modality(kind).kinds for view in kinds):
        return False
    wants = wanted(cls)
    return wants is None or bool(encoders.names(kind, wants))


def _timeless(line: str) -> dict[str, Any]:
    return {name: value for name, value in json.loads(line).items() if name != "samples_per_second"}


def _losses(folder: Path) -> list[float]:
    file = folder / "metrics.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return [line["loss"] for line in map(json.loads, lines) if "loss" in line]  # observers' lines have none


def _ensure(kept: bool, promise: str) -> None:
    if not kept:
        raise Failed(promise)
