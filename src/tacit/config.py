"""What a run is, fully resolved: read from and written to `run.yaml`, from which it can be run again."""

import inspect
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import yaml
from torch import nn

from tacit.errors import TacitError, unknown
from tacit.method import Facts, Method, Recipe, Stage, View, options, signature, streams
from tacit.methods import find
from tacit.training import checkpoint

OF_THE_RUN = (  # what `pretrain` takes besides options
    "method", "out", "encoder", "init", "resume", "minutes", "recipe", "streams", "seed", "device", "precision", "devices",
    "nodes", "strategy", "size", "snapshots", "quiet", "kind",
)  # fmt: skip
SMALL = 100_000  # samples below which a method's recipe for small data is taken, where it has one


@dataclass(frozen=True)
class Config:
    """Every choice of a run. What the user left open was chosen from data and machine, and stands here all the same.

    `options`, `recipe`, `views` and `encoder_options` hold what differs from the defaults, which is what a re-run applies to
    every stage; `resolved` holds all values in force of the run's own method, to be read.
    """

    tacit: str  # the version that wrote it
    method: str
    options: dict[str, Any]  # of the method
    recipe: dict[str, Any]  # what differs from the recipe of each stage's method
    recipe_name: str  # "paper" or the name of one in `recipes`
    views: dict[str, Any]  # of the modality
    encoder: str
    encoder_options: dict[str, Any]
    data: dict[str, Any]  # source, kind, split, samples, corrupt
    streams: dict[str, str]  # sources of the method's other streams
    facts: dict[str, Any]
    labels_used: int  # by declared streams
    seed: int
    device: str
    precision: str
    devices: int  # of each machine
    nodes: int = 1  # machines
    strategy: str = "ddp"  # or fsdp: encoders are sharded
    labels_observed: int = 0  # looked at while training, not learned from
    snapshots: int = 0  # how often the encoder is kept while it trains
    init: str = ""
    chosen: list[str] = field(default_factory=list)  # what was chosen and why, one sentence each
    resolved: dict[str, Any] = field(default_factory=dict)  # options, recipe, views and encoder with every default

    def write(self, folder: Path) -> None:
        try:
            text = yaml.safe_dump(asdict(self), sort_keys=False, allow_unicode=True, width=120)
        except yaml.representer.RepresenterError as error:
            raise TacitError(
                f"An option is {error.args[-1]!r} and could not be written into run.yaml; give numbers, words or lists."
            ) from error
        checkpoint.write_text(folder / "run.yaml", text)

    @classmethod
    def read(cls, path: Path) -> "Config":
        """From `run.yaml` or the folder it lies in."""
        file = path / "run.yaml" if path.is_dir() else path
        try:
            saved = yaml.safe_load(file.read_text())
            config = cls(**saved)
            if not (isinstance(config.data, dict) and isinstance(config.facts, dict)):
                raise TypeError
            return config
        except FileNotFoundError as error:
            raise TacitError(f"{path} holds no run (no run.yaml); give a folder that `tacit pretrain --out` wrote.") from error
        except (TypeError, yaml.YAMLError, UnicodeDecodeError) as error:
            why = "its fields are not a run's" if isinstance(error, TypeError) else " ".join(str(error).split())
            raise TacitError(f"{file} is no run's configuration ({why}); give one that `tacit pretrain` wrote.") from error

    def known_facts(self) -> Facts:
        if missing := {"kind", "n", "shape"} - self.facts.keys():
            raise TacitError(f"run.yaml lacks {', '.join(sorted(missing))} in its facts; restore it as it was written.")
        return Facts.from_dict(self.facts)


def named_recipe(cls: type[Method], name: str | None, n: int) -> tuple[str, Recipe]:
    """A method's recipe by name; by default the one for small data, where there is one and the data is small."""
    if name is None:
        name = "small" if "small" in cls.recipes and n < SMALL else "paper"
    if name == "paper":
        return name, cls.recipe
    if name not in cls.recipes:
        raise unknown("recipe", name, ["paper", *cls.recipes])
    return name, cls.recipes[name]


def stage_recipe(config: Config, stage: Stage, transductive: bool) -> Recipe:
    """A stage's own recipe, or that of the name that the user chose, where it has one, and else its usual one; with what the
    user changed, and a batch that the samples fill."""
    cls, method, n = find(config.method), stage.method, config.known_facts().n
    asked = config.recipe_name != named_recipe(cls, None, n)[0] and config.recipe_name in ("paper", *method.recipes)
    recipe = stage.recipe or named_recipe(method, config.recipe_name if method is cls or asked else None, n)[1]
    return recipe.but(**{"batch": fitting_batch(recipe.batch, n, transductive), **config.recipe})


def fitting_batch(batch: int, n: int, transductive: bool) -> int:
    """A batch that so many samples can fill: two of them at least, or one where samples see all they are part of."""
    if transductive:
        return min(batch, n)
    return batch if batch <= n // 2 else max(2, 2 ** int(math.log2(max(n // 2, 2))))


def refuse_idle(given: Mapping[str, Any], recipe: Recipe, method: type[Method]) -> None:
    """Answer what a user gave of a recipe, and what would do nothing, in one sentence."""
    of = {"final_lr": ("schedule", "cosine"), "milestones": ("schedule", "step"), "beta2": ("optimizer", "adamw")}
    several = method.stages.__func__ is not Method.stages.__func__  # type: ignore[attr-defined]  # each with a recipe of its own
    for name, (other, wanted) in of.items():
        if name in given and not several and (there := getattr(recipe, other)) != wanted:
            raise TacitError(f"--{name.replace('_', '-')} is of the {other} {wanted}, and this is {there}; leave it out.")
    kinds = [kind for kind in streams(method).values() if isinstance(kind, View)]
    around = any(p.annotation is Method for p in signature(method.__init__).parameters.values())  # another's views
    if "small_crops" in given and not around and all(kind.with_small(1) == kind.with_small(2) for kind in kinds):
        raise TacitError(f"--small-crops is of methods that see small crops, which {method.__name__} does not; leave it out.")


def resolved(config: Config, method: type[Method], recipe: Recipe, views: Any, encoder: Mapping[str, Any]) -> dict[str, Any]:
    """All values in force: of the method, its recipe, the views and the encoder (by its parameters); JSON only."""
    known = {
        "options": {name: parameter.default for name, parameter in all_options(method, config.options).items()}
        | config.options,
        "recipe": recipe.as_dict(),
        "views": {f.name: getattr(views, f.name) for f in fields(views) if f.init},
        "encoder": {name: parameter.default for name, parameter in encoder.items()} | config.encoder_options,
    }
    return json.loads(json.dumps(known, default=str))


@dataclass
class Routed:
    """A user's options, each with the one it belongs to."""

    method: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
    views: dict[str, Any] = field(default_factory=dict)
    encoder: dict[str, Any] = field(default_factory=dict)
    streams: dict[str, str] = field(default_factory=dict)


def route(given: Mapping[str, Any], method: type[Method], views: type, encoder: Mapping[str, Any]) -> Routed:
    """Send each option where its name is known; a misspelt one is answered with the nearest right name."""
    other_streams = list(streams(method))[1:]
    known: dict[str, Mapping[str, Any]] = {
        "method": all_options(method, given),
        "recipe": {f.name: f for f in fields(Recipe) if f.name not in ("options",)},
        "views": {f.name: f for f in fields(views) if f.init and f.name not in ("mean", "std")},
        "encoder": encoder,
        "streams": dict.fromkeys(other_streams),
    }
    routed = Routed()
    for name, value in given.items():
        value = _native(value)
        owner = next((owner for owner, names in known.items() if name in names), None)
        if owner is None:
            raise unknown("option", name, {*OF_THE_RUN, *(n for names in known.values() for n in names)})
        if owner == "method":
            value = coerce(name, value, known["method"][name])
        getattr(routed, owner)[name] = value
    routed.recipe = {name: _field(name, value) for name, value in routed.recipe.items()}
    return routed


def coerce(name: str, value: Any, parameter: inspect.Parameter) -> Any:
    """A value as the parameter's annotation wants it, or one sentence."""
    wanted = parameter.annotation
    if get_origin(wanted) is tuple:
        return _several(name, value, parameter)
    if wanted in (int, float) and isinstance(value, (int, float)) and not isinstance(value, bool):
        if wanted is int and not float(value).is_integer():
            raise TacitError(f"{name} is {value}; it must be a whole number.")
        return wanted(value)
    if wanted in _WORDS and (not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool)):
        raise TacitError(f"{name} is {value!r}; it must be {_WORDS[wanted]}.")
    return value


def _several(name: str, value: Any, parameter: inspect.Parameter) -> tuple[Any, ...]:
    """A list of as many values as a tuple's annotation names, each of its kind; after an ellipsis of any length."""
    kinds, usual = get_args(parameter.annotation), parameter.default
    many = kinds[-1] is ...
    if not isinstance(value, list | tuple) or not (many or len(value) == len(kinds)):
        such = f" such as {list(usual)}" if isinstance(usual, tuple) and usual else ""
        raise TacitError(f"{name} is {value!r}; it must be a list{'' if many else f' of {len(kinds)}'}{such}.")
    each = [kinds[0]] * len(value) if many else kinds
    return tuple(coerce(f"{name}[{i}]", one, parameter.replace(annotation=each[i])) for i, one in enumerate(value))


def _native(value: Any) -> Any:
    """Numbers of numpy's as Python's own, which `run.yaml` can hold."""
    if isinstance(value, list | tuple):
        return [_native(one) for one in value] if isinstance(value, list) else tuple(_native(one) for one in value)
    return value.item() if isinstance(value, np.generic) else value


def _field(name: str, value: Any) -> Any:
    default = getattr(Recipe(), name)
    if isinstance(default, tuple):
        each = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=get_args(get_type_hints(Recipe)[name])[0])
        return tuple(coerce(name, one, each) for one in (value if isinstance(value, (list, tuple)) else (value,)))
    numbers = isinstance(value, Mapping) and all(isinstance(one, int | float) for one in value.values())
    if isinstance(default, Mapping) and not numbers:
        raise TacitError(f"{name} is {value!r}; it must be a mapping such as {{prototypes: 1}}.")
    if isinstance(default, (int, float, str)):
        return coerce(name, value, inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=type(default)))
    return value


_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}


def all_options(method: type[Method], given: Mapping[str, Any]) -> dict[str, inspect.Parameter]:
    """A method's options, and those of the methods that a wrapper is given or takes by default; of one name the outer one's."""
    found = options(method)
    for _, inner in _inner(method, given):
        found = all_options(inner, given) | found
    return found


def build_method(stage: Stage, encoder: nn.Module | None) -> Method:
    """A stage's method on an encoder; an option that is annotated as a Method and given by name or class is built first, with
    those of the options that are its own and not the wrapper's."""
    given = dict(stage.options)
    for name, inner in _inner(stage.method, given):
        own = (all_options(inner, given).keys() - options(stage.method)) & given.keys()
        given[name] = build_method(Stage(inner, **{option: given.pop(option) for option in own}), encoder)
    return stage.method(encoder, **given)


def _inner(method: type[Method], given: Mapping[str, Any]) -> list[tuple[str, type[Method]]]:
    """The options by which a method takes others that are to be built, and which they are."""
    taken = [parameter for parameter in signature(method.__init__).parameters.values() if parameter.annotation is Method]
    named = [(parameter.name, given.get(parameter.name, parameter.default)) for parameter in taken]
    return [(name, find(one) if isinstance(one, str) else one) for name, one in named if isinstance(one, str | type)]
