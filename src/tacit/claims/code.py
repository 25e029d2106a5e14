"""Which code a claim's numbers depend on, and its hash: a claim is stale where that has changed."""

import ast
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from tacit.modalities import MODALITIES

PACKAGE = Path(__file__).parents[1]
ROOMS = ("claims", "methods", "objectives", "parts", "views", "numerics", "encoders", "training", "evaluation", "few_labels")
MODULES: tuple[str, ...] = ("method", "config", "material", "pretraining", "run", "representing", "sides")
MODULES += ("judging.recommending", "judging.matching")
# Of the data, what splits and codes it; a known set itself is told by its checksum.
CUT: tuple[str, ...] = (
    *("data.splitting", "data.interactions", "data.tabular.item_features", "data.networks.edge_split", "data.networks.graph"),
    "data.series.samples",
)
WORDS = {"evaluation.meanings", "training.alarms", "training.journal", "training.signals"}  # what only tells of numbers
CONTENTS = {"methods"}  # where methods are found by name: a claim imports its own
SEVERAL = {
    "training.shared_norms",
    "training.sharding",
    "training.launching",
}  # what only several processes meet: a claim runs in one
AT_IMPORT = ""  # names what a module does besides defining


class Definition(NamedTuple):
    """A class, a function or a constant of a module of the package."""

    module: str
    name: str


class Source(NamedTuple):
    """A module's syntax without docstrings and without what claims say in words."""

    nodes: dict[str, list[ast.stmt]]  # by the name that they define
    imported: dict[str, Definition]  # what a name stands for; a module has AT_IMPORT for its name


def hash_of(module: str) -> str:
    """Of a claim's file and every definition it reaches in the rooms that make numbers.

    Comments, docstrings and layout do not count, nor does what else stands in a file that is reached. What a run reaches by
    name only, as views and encoders, counts with the claim's kinds of data. Of the data counts what cuts and codes them
    (`CUT`), not what opens a known set: its checksum is verified.
    """
    digest = hashlib.sha256()
    for place, name in sorted(reached(module)):
        meaning = "".join(ast.dump(node) for node in source(place).nodes[name])
        digest.update(f"{place}\0{name}\0{meaning}\0".encode())
    return digest.hexdigest()[:16]


def experiment_of(module: str) -> str:
    """Of what the quick form of a claim leaves out or replaces, such as epochs and images: a change there it cannot tell.

    That is what a claim's file and its neighbours' define that its arms reach, and constants of what all claims share. Its
    rule, measure and seeds do not count.
    """
    meanings = []
    for place, name in reached(module):
        own = place.count(".") == 2
        if place.startswith("claims.") and name != "rule":
            nodes = [n for n in source(place).nodes[name] if own or isinstance(n, ast.Assign | ast.AnnAssign)]
            meanings += [f"{name}\0{ast.dump(_arms(node) if name == 'CLAIM' else node)}\0" for node in nodes]
    return hashlib.sha256("".join(sorted(meanings)).encode()).hexdigest()[:16]


def _arms(node: ast.stmt) -> ast.AST:
    """Of a claim what is compared, if it is said in so many words."""
    call = node.value if isinstance(node, ast.Assign) else None
    found = [keyword.value for keyword in call.keywords if keyword.arg == "arms"] if isinstance(call, ast.Call) else []
    return found[0] if found else node


def reached(module: str) -> set[Definition]:
    """All definitions that a claim's numbers depend on."""
    kinds = import_module(module).CLAIM.kinds
    found: set[Definition] = set()
    waiting = [*_all_of(module.removeprefix("tacit.")), *_named_only(kinds)]
    while waiting:
        here = waiting.pop()
        if here not in found and _makes_numbers(here.module):
            found.add(here)
            waiting += [Definition(here.module, AT_IMPORT), *_used(here)]
    return found


@cache
def source(module: str) -> Source:
    nodes, imported = defaultdict[str, list[ast.stmt]](list), {}
    tree = ast.parse(_file(module).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Claim":
            node.keywords = [keyword for keyword in node.keywords if keyword.arg not in ("says", "here", "why")]  # words
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("tacit."):
            base = f"{node.module}.".removeprefix("tacit.")
            for alias in node.names:
                whole = _exists(base + alias.name)
                there = Definition(base + alias.name, AT_IMPORT) if whole else Definition(base.rstrip("."), alias.name)
                if _exists(there.module):
                    imported[alias.asname or alias.name] = there
    for node in tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            for name in _names(node):
                nodes[name].append(node)
    nodes[AT_IMPORT] += []
    return Source(dict(nodes), imported)


def _names(node: ast.stmt) -> list[str]:
    """What a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)] or [AT_IMPORT]


def _used(here: Definition) -> Iterator[Definition]:
    """What a definition names, in its own module and in others."""
    own = source(here.module)
    for node in (part for statement in own.nodes[here.name] for part in ast.walk(statement)):
        if isinstance(node, ast.Name):
            if node.id in own.nodes:
                yield Definition(here.module, node.id)
            elif node.id in own.imported and own.imported[node.id].name != AT_IMPORT:
                yield from _at(own.imported[node.id])
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in own.imported:
            there = own.imported[node.value.id]
            if there.name == AT_IMPORT:
                yield from _at(Definition(there.module, node.attr))


def _at(there: Definition) -> Iterator[Definition]:
    """Where a name is defined: its module may only hand it on, or make it when it is asked for, and then counts whole."""
    found = source(there.module) if _makes_numbers(there.module) else None
    if found and there.name in found.nodes:
        yield there
    elif found and there.name in found.imported:
        yield from _at(found.imported[there.name])
    elif found:
        yield from _all_of(there.module)


def _all_of(module: str) -> Iterator[Definition]:
    return (Definition(module, name) for name in source(module).nodes)


def _makes_numbers(module: str) -> bool:
    return module in MODULES + CUT or (module.partition(".")[0] in ROOMS and module not in WORDS | CONTENTS | SEVERAL)


def _named_only(kinds: tuple[str, ...]) -> Iterator[Definition]:
    """What a pretraining finds by name: views and encoders."""
    for home in (MODALITIES[kind] for kind in kinds):
        for address in (home.views, *home.encoders.values()):
            module, _, name = address.removeprefix("tacit.").partition(":")
            yield Definition(module, name)


def _file(module: str) -> Path:
    place = PACKAGE.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def _exists(module: str) -> bool:
    return _file(module).exists()
