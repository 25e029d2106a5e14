"""Everything there is to say of one method, read off its class: nothing here is written twice."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, NamedTuple

from torch import Tensor

from tacit import encoders
from tacit.method import Method, Paper, Recipe, options, streams
from tacit.methods import CONTENTS, find, name_of
from tacit.papers import IN_PAPER, measured
from tacit.pretraining import wanted
from tacit.views import MODALITIES, Modality, modality
from tacit.views.kinds import Labelled, Plain


class MethodFacts(NamedTuple):
    """One line of the catalogue, read off the class itself."""

    key: str
    name: str
    room: str
    title: str
    year: int
    locator: str
    views: str
    in_paper: tuple[str, ...]  # the kinds of data that its own paper trains on
    runs_on: tuple[str, ...]  # those that offer the views it asks for, and an encoder
    measured: Mapping[str, str]  # those it was measured on here, and the page that shows it
    checked: str  # "owner/repo@commit", or "" where unverified
    idea: str


@dataclass(frozen=True)
class Option:
    """Something a user can set, by this name in Python and with dashes on the command line."""

    name: str
    default: Any
    meaning: str  # one line, or ""


@dataclass(frozen=True)
class Description:
    """A method's page: what `tacit methods NAME` prints."""

    key: str
    name: str
    document: str  # what the class says of itself: the idea, what it was checked against, where it differs
    paper: Paper
    recipe: list[Option]  # the fields of Recipe, with the paper's numbers
    recipes: dict[str, dict[str, Any]]  # the named ones: what differs from the paper's
    options: list[Option]  # the method's own
    streams: dict[str, str]  # every other stream by name, and what it carries
    views: dict[str, list[Option]]  # by the kind of data that offers them
    encoders: dict[str, list[Option]]  # the native ones that can be trained, by name
    in_paper: tuple[str, ...]  # the kinds of data that its paper trains on; of a method of your own, none are known
    runs_on: tuple[str, ...]  # those it can be trained on here
    measured: Mapping[str, str]  # those it was measured on here, and the page that shows it

    def as_dict(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "name": self.name,
            "document": self.document,
            "paper": vars(self.paper),
            "recipe": {option.name: option.default for option in self.recipe},
            "recipes": self.recipes,
            "options": {option.name: option.default for option in self.options},
            "streams": self.streams,
            "views": {kind: {option.name: option.default for option in offered} for kind, offered in self.views.items()},
            "encoders": {name: {option.name: option.default for option in own} for name, own in self.encoders.items()},
            "in_paper": self.in_paper,
            "runs_on": self.runs_on,
            "measured": self.measured,
        }

    def __str__(self) -> str:
        paper = self.paper
        parts = [
            f"{self.name}: {self.document}",
            f"{paper.title}\n{paper.authors}, {paper.year}, {paper.locator}",
            "\n".join(
                f"{said}: {', '.join(kinds)}"
                for said, kinds in (
                    ("Data in the paper", self.in_paper),
                    ("Possible here", self.runs_on),
                    ("Measured here", [f"{kind} ({page})" for kind, page in self.measured.items()]),
                )
                if kinds
            ),
            _section("Options of the method", self.options),
            _section("The paper's recipe", self.recipe),
            *(f"--recipe {name} takes instead: {_changes(changed)}" for name, changed in self.recipes.items()),
            *(f"--{name} DATA: another stream, of {carried}" for name, carried in self.streams.items()),
            *(_section(f"Views of {kind} data", offered) for kind, offered in self.views.items()),
            *(_section(f"--encoder {name}", own) or f"--encoder {name}" for name, own in self.encoders.items()),
        ]
        return "\n\n".join(part for part in parts if part)


def catalogue() -> list[MethodFacts]:
    """All methods with what their classes say of themselves, and the kinds of data: in the paper, possible, measured here."""
    found, numbers = [], measured()
    for room, members in CONTENTS.items():
        for key in members:
            method = find(key)
            kinds = [kind.views if isinstance(kind, Labelled) else kind for kind in streams(method).values()]
            document, paper = inspect.getdoc(method) or "", method.paper
            found.append(
                MethodFacts(
                    key=key,
                    name=members[key],
                    room=room,
                    title=paper.title,
                    year=paper.year,
                    locator=paper.locator,
                    views=", ".join(type(kind).__name__ for kind in kinds),
                    in_paper=IN_PAPER[key],
                    runs_on=tuple(name for name in MODALITIES if _runs_on(method, name)),
                    measured=numbers.get(key, {}),
                    checked=checked_against(document),
                    idea=document.partition("\n")[0],
                )
            )
    return found


def describe(name: str) -> Description:
    """The page of one method, by its key ("simclr") or, for your own, "module:Class".

    Raises TacitError with the nearest right name where there is none such.
    """
    method: type[Method] = find(name)
    paper_recipe = method.recipe.as_dict()
    meanings = _comments(Recipe)
    kinds, wants = [kind for kind in MODALITIES if _runs_on(method, kind)], wanted(method)
    return Description(
        key=name_of(method),
        name=method.__name__,
        document=inspect.getdoc(method) or "",
        paper=method.paper,
        recipe=[Option(key, value, meanings.get(key, "")) for key, value in paper_recipe.items() if key != "options"],
        recipes={key: _differences(paper_recipe, recipe.as_dict()) for key, recipe in method.recipes.items()},
        options=_parameters(typed(method)),
        streams={key: _carried(stream) for key, stream in list(streams(method).items())[1:]},
        views={kind: _settable(modality(kind)) for kind in kinds},
        encoders={name: _parameters(encoders.options(name)) for kind in kinds if wants for name in encoders.names(kind, wants)},
        in_paper=IN_PAPER.get(name_of(method), ()),
        runs_on=tuple(kinds),
        measured=measured().get(name_of(method), {}),
    )


def _offers(views: type[Modality], method: type[Method]) -> bool:
    kinds = [stream.views if isinstance(stream, Labelled) else stream for stream in streams(method).values()]
    return all(type(kind) in views.kinds for kind in kinds)


def _runs_on(method: type[Method], kind: str) -> bool:
    """Whether a kind of data offers its views and an encoder for it.

    All kinds offer samples as they are (`Plain`): a method that has wishes of them for some kinds (`of`) is for these.
    """
    views, wants = modality(kind), wanted(method)
    meant = next(iter(streams(method).values()))
    named = meant.of if isinstance(meant, Plain) else {}
    return _offers(views, method) and (not named or kind in named) and (wants is None or bool(encoders.names(kind, wants)))


def typed(method: type[Method]) -> dict[str, inspect.Parameter]:
    """The options that can be typed: tensors are what a stage hands to the next."""
    return {name: parameter for name, parameter in options(method).items() if not isinstance(parameter.default, Tensor)}


def _parameters(parameters: Mapping[str, inspect.Parameter]) -> list[Option]:
    return [Option(name, parameter.default, "") for name, parameter in parameters.items()]


def _carried(stream: Any) -> str:
    return f"labelled samples, {stream.batch} in a batch" if isinstance(stream, Labelled) else "samples without labels"


def _settable(views: Any) -> list[Option]:
    """The fields of a modality's views that have a default: the others are known from the data."""
    meanings = _comments(views)
    found = []
    for field in fields(views):
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if default is not MISSING and field.init:
            found.append(Option(field.name, default, meanings.get(field.name, "")))
    return found


def _differences(paper: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    changed = {key: value for key, value in other.items() if value != paper[key] and key != "options"}
    return {**changed, **other["options"]}


def _comments(owner: type) -> dict[str, str]:
    """What stands behind each field of a dataclass in its source: `lr: float = 1e-3  # at batch …`."""
    return dict(re.findall(r"^    (\w+):[^#\n]*#\s*(.+)$", inspect.getsource(owner), re.MULTILINE))


def _section(title: str, offered: list[Option]) -> str:
    if not offered:
        return ""
    flags = [f"--{option.name.replace('_', '-')} {_typed(option.default)}" for option in offered]
    width = max(map(len, flags))
    return "\n".join([title, *(f"  {flag:<{width}}  {o.meaning}".rstrip() for flag, o in zip(flags, offered))])


def _changes(changed: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_typed(value)}" for name, value in changed.items())


def _typed(value: Any) -> str:
    """A value as it is typed on the command line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_typed, value)) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_typed(item)}" for key, item in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def checked_against(document: str) -> str:
    """What a docstring says that its code was compared with, "owner/repo@commit"; "" where it does not."""
    lines = (line.strip() for line in document.splitlines())
    return next((line.removeprefix("checked:").strip() for line in lines if line.startswith("checked:")), "")
