"""Which code a claim's numbers depend on, and its hash: a claim is stale where that has changed."""

import ast
import hashlib
from functools import cache
from importlib import import_module
from pathlib import Path

from tacit.modalities import MODALITIES

PACKAGE = Path(__file__).parents[1]
ROOMS = ("claims", "methods", "objectives", "parts", "views", "numerics", "encoders", "training", "evaluation")
MODULES = ("method", "config", "material", "pretraining", "run", "representing")
WORDS = {"evaluation.meanings", "training.alarms", "training.journal", "training.signals"}  # what only tells of numbers


def hash_of(module: str) -> str:
    """Of a claim's file and everything it reaches by import in the rooms that make numbers.

    Comments, docstrings and layout do not count. What a run reaches by name only, as views and encoders, counts with the
    claim's kinds of data. What opens a known set does not count: its checksum is verified.
    """
    kinds = import_module(module).CLAIM.kinds
    reached, waiting = set(), {module.removeprefix("tacit."), *_named_only(kinds)}
    while waiting:
        here = waiting.pop()
        reached.add(here)
        waiting |= {other for other in imports(here) if _makes_numbers(other)} - reached
    digest = hashlib.sha256()
    for each in sorted(reached):
        digest.update(f"{each}\0{_meaning(_file(each))}\0".encode())
    return digest.hexdigest()[:16]


@cache
def imports(module: str) -> frozenset[str]:
    """The modules of the package that a module imports, wherever in its file."""
    found = set()
    for node in ast.walk(ast.parse(_file(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("tacit."):
            base = f"{node.module}.".removeprefix("tacit.")
            found |= {base + a.name if _exists(base + a.name) else base.rstrip(".") for a in node.names}
    return frozenset(module for module in found if module and _exists(module))


def _makes_numbers(module: str) -> bool:
    return module in MODULES or (module.partition(".")[0] in ROOMS and module not in WORDS)


def _named_only(kinds: tuple[str, ...]) -> set[str]:
    """What a pretraining finds by name: views and encoders."""
    homes = [MODALITIES[kind] for kind in kinds]
    addresses = [address for home in homes for address in (home.views, *home.encoders.values())]
    return {address.partition(":")[0].removeprefix("tacit.") for address in addresses}


@cache
def _meaning(file: Path) -> str:
    """A file's syntax without docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


def _file(module: str) -> Path:
    place = PACKAGE.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def _exists(module: str) -> bool:
    return _file(module).exists()
