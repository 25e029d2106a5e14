"""`tacit pretrain`: from a source that nobody labelled to a run."""

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np
from torch import nn

from tacit import data as sources
from tacit import encoders
from tacit.config import SMALL, Config, build_method, fitting_batch, named_recipe, refuse_idle, resolved, route, stage_recipe
from tacit.embeddings.places import address
from tacit.errors import TacitError
from tacit.guidance import advise
from tacit.material import Material, facts_of, fit_views, gather_material, hash_of_ids, labels_in, source_of, train_part
from tacit.method import Encoder, Labelled, Method, Recipe, Stage, View, signature
from tacit.method import streams as streams_of
from tacit.methods import find, name_of
from tacit.numerics import processes
from tacit.numerics.processes import whole
from tacit.observing import OnlineKNN, Snapshots, observed_labels
from tacit.resuming import again_materials, refuse_others
from tacit.run import Run, untrained_encoder
from tacit.timing import fit_time, in_words
from tacit.training import checkpoint, launching, pages, precision
from tacit.training.launching import Places
from tacit.training.loop import train
from tacit.training.setting import Observer, Setting
from tacit.training.stopping import Interrupted
from tacit.training.streams import Source
from tacit.views import modality, per_view
from tacit.views.kinds import Pair, Plain


def pretrain(
    data: Any = None,
    method: str | type[Method] | None = None,
    *,
    out: str | Path | None = None,
    encoder: str | None = None,
    init: str | Path | Run | None = None,
    resume: bool = False,
    minutes: float | None = None,
    recipe: str | None = None,
    streams: Mapping[str, Any] | None = None,
    seed: int | None = None,
    device: str | None = None,
    precision: str | None = None,
    devices: int | None = None,
    nodes: int | None = None,
    strategy: str | None = None,
    kind: str | None = None,
    size: int | None = None,
    snapshots: int | None = None,
    quiet: bool = False,
    **options: Any,
) -> Run:
    """Pretrain an encoder on what nobody labelled, and return the run.

    data       a folder, a file, an array, anything `tacit.open` takes; or a `run.yaml`, to run it again
    method     a key of `tacit.catalogue()`, "module:Class", or the class itself; by default what was measured best
    out        the run's folder; by default runs/METHOD-SOURCE
    encoder    a name, "timm/NAME" or "module:Class"; by default chosen from data and machine
    init       a run, or "timm/NAME" with its published weights, to go on from
    resume     go on with the run in `out`, with its own configuration
    minutes    make the schedules fit this time
    recipe     one of the method's named recipes, or "paper"; "small" is taken for small data where there is one
    streams    sources of the method's other streams, by name
    seed       of all randomness; by default 0
    device     auto, cpu or cuda; precision auto, bf16 or fp32
    devices    so many on each of `nodes` machines, by default 1 of 1, or as many processes as torchrun or SLURM has started
    strategy   ddp: every device holds all; fsdp: each holds a share of the encoder
    size       side of the training images
    snapshots  how often, evenly spaced, the encoder is kept while it trains, for `tacit compare`; at most 20 times a stage
    options    of the method, its recipe, the views, the encoder, and other streams' sources, each by its own name
    """
    again = isinstance(data, (str, Path)) and Path(data).name == "run.yaml"
    if resume or again:
        new = {"minutes": minutes, "init": init, "encoder": encoder, "recipe": recipe, "size": size, "snapshots": snapshots}
        if others := ", ".join(f"--{name.replace('_', '-')}" for name, value in (new | options).items() if value is not None):
            raise TacitError(f"A run is gone on with, or run again, as it is configured; leave {others} out.")
        if resume and out is None:
            raise TacitError("--resume needs the run's folder; give --out.")
        source: Any = out if resume else data
        config = Config.read(Path(source))
        asked = {"method": method, "seed": seed, "device": device, "precision": precision, "kind": kind}
        refuse_others(config, {name: value for name, value in asked.items() if value is not None})
        here = launching.places(devices, nodes, Places(config.devices, config.nodes))
        strategy = launching.known(strategy, here, config.strategy)
        config = replace(config, devices=here.devices, nodes=here.nodes, strategy=strategy)
        finished = resume and (Path(source) / "encoder.safetensors").exists()
        if finished and data is None and not streams:
            return Run(source, config.device)
        materials = again_materials(config, data if resume else None, streams or {})
        if finished:  # on these data: others are refused by now
            return Run(source, config.device)
        folder = Path(out) if out is not None else Path(f"{Path(data).parent}-again")
    else:
        if data is None:
            raise TacitError("Nothing to train on was given; name a folder or a file of samples.")
        given_as, advice = data, []
        if method is None:
            data = sources.open(data, kind)
            method, why = advise(data.kind, len(train_part(data)[0]))
            advice.append(why)
        cls = find(method) if isinstance(method, str) else method
        folder = Path(out) if out is not None else Path("runs") / f"{name_of(cls).rpartition(':')[2].lower()}-{_stem(given_as)}"
        _refuse_another(folder)
        here = launching.places(devices, nodes)
        machine = device or "auto", precision or "auto", here.devices
        config, materials = choose(
            data, cls, encoder, init, recipe, streams or {}, 0 if seed is None else seed, *machine, kind, size, options
        )
        config = replace(config, snapshots=snapshots or 0, nodes=here.nodes, strategy=launching.known(strategy, here))
        if config.snapshots < 0 or (config.snapshots and not config.encoder):
            raise TacitError(f"--snapshots is {snapshots}; give 0 or more, and a method that trains an encoder.")
        config.chosen.extend(advice)
    if not resume:
        _refuse_another(folder)
    with launching.together():
        return execute(config, materials, folder, minutes, quiet)


def choose(
    data: Any,
    cls: type[Method],
    encoder: str | None,
    init: str | Path | Run | None,
    recipe: str | None,
    streams: Mapping[str, Any],
    seed: int,
    device: str,
    precision_name: str,
    devices: int,
    kind: str | None,
    size: int | None,
    options: Mapping[str, Any],
) -> tuple[Config, dict[str, Material]]:
    """Open the data and resolve every choice that the user left open, each with its reason."""
    if not isinstance(encoder, str | None):
        raise TacitError(
            f"The encoder is a {type(encoder).__name__}; give a name, timm/NAME or module:Class, which can be built again."
        )
    if not isinstance(seed, int | np.integer):
        raise TacitError(f"seed is {seed!r}; it must be a whole number.")
    machine = precision.choose(device, precision_name)
    (_, first), *others = streams_of(cls).items()
    main = gather_material(data, kind, size, machine.device, labelled=isinstance(first, Labelled))
    materials = {"main": main}
    facts = facts_of(main.facts, fit_views(main.facts, {}), len(main.samples))
    chosen = [f"On {machine.why}."]
    origin_encoder, origin_options = _origin(init) if init is not None else (encoder, {})
    encoder = encoder or origin_encoder
    wants = wanted(cls)
    if wants is None and (encoder or init):
        raise TacitError(
            f"{cls.__name__} has no encoder of its own to choose or to go on from; leave --encoder and --init out."
        )
    if encoder is None and wants is not None:
        encoder = encoders.default(facts, machine.device, wants)
        chosen.append(f"The encoder {encoders.why(facts, machine.device, wants)}.")
    given = route({**options, **streams}, cls, modality(main.facts["kind"]), encoders.options(encoder) if encoder else {})
    if isinstance(first, Plain):  # then samples are read in one way, also when they are embedded
        given.views = {**per_view(first.of.get(main.facts["kind"], {}), 1)[0], **given.views}
    if cls.solve is not Method.solve and (unused := [name for name in given.recipe if name != "batch"]):
        idle = ", ".join(f"--{name.replace('_', '-')}" for name in unused)
        raise TacitError(f"{cls.__name__} finds its answer without a recipe's steps, so {idle} would do nothing; leave it out.")
    if isinstance(init, str) and init.startswith("timm/"):
        given.encoder.setdefault("small_stem", "no")  # published weights have the published stem, on opening too
    if encoder == origin_encoder:
        given.encoder = {**origin_options, **given.encoder}
    views = fit_views(main.facts, given.views)
    name, own = named_recipe(cls, recipe, len(main.samples))
    if name != "paper" and recipe is None:
        chosen.append(
            f"The recipe {name!r}, since {len(main.samples):,} samples are fewer than {SMALL:,}; "
            "--recipe paper takes the paper's."
        )
    fits = fitting_batch(own.batch, len(main.samples), main.samples.transductive)
    if "batch" not in given.recipe and fits < own.batch:
        given.recipe["batch"] = fits
        whole = f"One batch of all {fits:,} samples, which see the whole of what they are part of."
        fewer = f"Batches of {fits}, since there are {len(main.samples):,} samples."
        chosen.append(whole if main.samples.transductive else fewer)
    refuse_idle(given.recipe, changed := own.but(**given.recipe), cls)  # and a wrong value, before anything is trained
    if given.recipe.get("warmup", 0) > changed.epochs / 2:
        chosen.append(f"A warm-up of {changed.epochs / 2:g} epochs, which is half of the training.")
    for stream, looks in others:
        if stream not in given.streams:
            raise TacitError(
                f"{cls.__name__} also learns from a stream {stream!r}; give its source as --{stream.replace('_', '-')} DATA."
            )
        materials[stream] = gather_material(
            given.streams[stream],
            main.samples.kind,
            main.facts.get("size"),
            machine.device,
            labelled=isinstance(looks, Labelled),
        )
        materials[stream].facts = main.facts
    labelled = [
        material for material, looks in zip(materials.values(), streams_of(cls).values()) if isinstance(looks, Labelled)
    ]
    config = Config(
        tacit=version("tacit"),
        method=name_of(cls),
        options={**own.options, **given.method},
        recipe=given.recipe,
        recipe_name=name,
        views=given.views,
        encoder=encoder or "",
        encoder_options=given.encoder,
        data={
            "source": address(main.samples.source),
            "kind": main.samples.kind,
            "split": main.split,
            "samples": len(main.samples),
            "corrupt": [f"{c.id}: {c.why}" for c in main.corrupt],
            "ids": {name: hash_of_ids(material.samples) for name, material in materials.items()},
        },
        streams={stream: address(materials[stream].samples.source) for stream, _ in others},
        facts=facts_of(main.facts, views, len(main.samples)).as_dict(),
        labels_used=sum(labels_in(material.samples) for material in labelled),
        labels_observed=0 if isinstance(first, Labelled) else observed_labels(main.samples),
        seed=int(seed),
        device=machine.device,
        precision=machine.precision,
        devices=devices,
        init=str(init.path if isinstance(init, Run) else init or ""),
        chosen=chosen,
    )
    return config, materials


def setting_of(config: Config, materials: Mapping[str, Material], folder: Path | None, quiet: bool) -> Setting:
    """What the loop is told of a configuration."""
    cls, facts = find(config.method), config.known_facts()
    views = fit_views(dict(facts.more), config.views)
    first = next(iter(streams_of(cls)))
    samples = {(first if name == "main" else name): material.samples for name, material in materials.items()}
    declared = {name for name, kind in streams_of(cls).items() if isinstance(kind, Labelled)}

    def build(stage: Stage, encoder: nn.Module | None) -> Method:
        if encoder is not None and (wants := wanted(stage.method)) is not None:
            encoders.require(encoder, wants, facts.kind)
        if stage.method is not cls and stage.recipe is None:  # a named recipe brings its options along
            stage = Stage(stage.method, encoder=stage.encoder, **{**recipe(stage).options, **stage.options})
        return build_method(stage, encoder)

    def recipe(stage: Stage) -> Recipe:
        return stage_recipe(config, stage, samples[first].transductive)

    def source(name: str, kind: View | Labelled) -> Source:
        if isinstance(kind, Labelled) and name not in declared:
            raise TacitError(
                f"A stage of {cls.__name__} wants labels as {name!r}, which it does not declare; add the stream to it."
            )
        seen = kind.views if isinstance(kind, Labelled) else kind
        return source_of(samples.get(name, samples[first]), views, seen, config.views)  # another method's stage sees the first

    if config.nodes > 1 and launching.first():
        _say(f"Waiting for all {config.nodes} machines: the command is started on each (docs/many_processes.md).")
    fabric = launching.start(config.device, config.precision, Places(config.devices, config.nodes))
    seen = source_of(materials["main"].samples, views, Plain())
    observers: list[Observer] = []
    if config.labels_observed and observed_labels(seen.samples):
        observers.append(OnlineKNN(seen, fabric.device))
    if config.snapshots and folder is not None:
        observers.append(Snapshots(folder, config.snapshots))
    return Setting(
        fabric=fabric,
        factory=untrained_encoder(config),
        build=build,
        recipe=recipe,
        source=source,
        facts=facts,
        seed=config.seed,
        folder=folder,
        quiet=quiet,
        sharded=config.strategy == "fsdp" and processes.size() > 1,
        observers=tuple(observers),
        usual=source_of(seen.samples, fit_views(dict(facts.more), {}), Pair()) if Pair in views.kinds else None,
    )


def execute(config: Config, materials: dict[str, Material], folder: Path, minutes: float | None, quiet: bool) -> Run:
    """Train what a configuration says into a folder."""
    cls, setting = find(config.method), setting_of(config, materials, folder, quiet)
    if minutes is not None:
        changes = fit_time(cls, config.options, setting, lambda: initial(config, setting), minutes)
        config = replace(config, recipe={**config.recipe, **changes}, chosen=[*config.chosen, in_words(minutes, changes)])
        setting = setting_of(config, materials, folder, quiet)
    recipe = named_recipe(cls, config.recipe_name, setting.facts.n)[1].but(**config.recipe)
    views = fit_views(dict(setting.facts.more), config.views)
    parameters = encoders.options(config.encoder) if config.encoder else {}
    config = replace(config, resolved=resolved(config, cls, recipe, views, parameters))
    fresh = not (folder / "run.yaml").exists()
    if processes.rank() == 0:
        folder.mkdir(parents=True, exist_ok=True)
        config.write(folder)
        if not quiet:
            for sentence in config.chosen:
                _say(sentence)
        for sample in config.data["corrupt"][:3]:
            _say(f"Left out: {sample}")
    try:
        launching.agree("samples", "".join(config.data["ids"].values()), setting.fabric.device)
        launching.agree("shapes of samples", str(setting.facts.shape), setting.fabric.device)
        with pages.kept(setting.fabric.device):
            trained = train(cls.stages(**config.options), setting, initial(config, setting))
    except Interrupted as interrupted:
        if processes.rank() == 0:
            _say(f"Saved at {interrupted.where}. Go on with: tacit pretrain --resume --out {quote(str(folder))}")
        raise
    except Exception:
        if fresh and processes.rank() == 0 and not any(folder.glob("stage-*.safetensors")):
            (folder / "run.yaml").unlink()  # refused before anything was learned: the folder is as free as before
            if not any(folder.iterdir()):
                folder.rmdir()
        raise
    encoder = trained.method.encoder
    tensors = {name: whole(value) for name, value in encoder.state_dict().items()} if encoder is not None else {}
    if processes.rank() == 0:
        checkpoint.save(folder / "encoder.safetensors", tensors, {"encoder": config.encoder, "options": config.encoder_options})
    setting.fabric.barrier()
    return Run(folder, config.device)


def wanted(cls: type[Method]) -> type | None:
    """The protocol of encoder that a method's constructor asks for by annotation; None where it takes none.

    Of one that says nothing, or has no constructor of its own, any `Encoder`.
    """
    if cls.__init__ is Method.__init__:
        return Encoder
    parameter = signature(cls.__init__).parameters.get("encoder")
    if parameter is None or parameter.annotation in (None, type(None)):
        return None
    return Encoder if parameter.annotation is parameter.empty else parameter.annotation


def initial(config: Config, setting: Setting) -> nn.Module | None:
    """The encoder to begin with: fresh, or with the weights that `init` names."""
    if not config.init:
        return setting.factory()
    if config.init.startswith("timm/"):
        return encoders.factory(config.init, setting.facts, config.seed, pretrained=True, **config.encoder_options)()
    encoder = setting.factory()
    if encoder is None:
        raise TacitError(f"--init {config.init} names weights of an encoder and {config.method} has none; leave it out.")
    tensors, _ = checkpoint.read(Path(config.init) / "encoder.safetensors")
    checkpoint.restore(encoder, tensors)
    return encoder


def _refuse_another(folder: Path) -> None:
    if not launching.first():
        return  # the first process answers for all: it may be writing already
    if any((folder / name).exists() for name in ("run.yaml", "encoder.safetensors")):
        raise TacitError(f"{folder} holds another run already; give another --out, or --resume to go on with it.")
    if folder.is_file():
        raise TacitError(f"{folder} is a file and --out names the folder of a run; give another --out.")


def _origin(init: str | Path | Run) -> tuple[str, dict[str, Any]]:
    """The encoder that `init` trained, and its options."""
    if isinstance(init, str) and init.startswith("timm/"):
        return init, {}
    if not isinstance(init, Run) and Path(init).is_file():
        raise TacitError(
            f"--init {init} is a file; give a run's folder or timm/NAME: weights are read as safetensors, pickled ones never."
        )
    config = init.config if isinstance(init, Run) else Config.read(Path(init))
    return config.encoder, config.encoder_options


def _stem(data: Any) -> str:
    return (Path(data).stem or "data") if isinstance(data, (str, Path)) else "array"


def _say(sentence: str) -> None:
    from rich.console import Console

    Console(stderr=True).print(sentence, highlight=False, markup=False, soft_wrap=True)
