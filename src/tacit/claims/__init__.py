"""Claims: a file for each row of the catalogue that the project has, in the room where its method or metric stands."""

from importlib import import_module
from pathlib import Path

from tacit.claims.claim import Claim
from tacit.errors import TacitError, unknown

FOLDER = Path(__file__).parent


def listing() -> dict[str, str]:
    """The room of each claim by key, from the files that are there."""
    return {file.stem: file.parent.name for file in sorted(FOLDER.glob("*/*.py")) if file.stem != "__init__"}


def module_of(key: str) -> str:
    """The module that says a claim: "tacit.claims.contrast.dcl"."""
    rooms = listing()
    if key not in rooms:
        raise unknown("claim", key, list(rooms))
    return f"tacit.claims.{rooms[key]}.{key}"


def find(key: str) -> Claim:
    """A claim by its catalogue key."""
    return import_module(module_of(key)).CLAIM


def chosen(keys: list[str], room: str | None, everything: bool) -> list[str]:
    """The claims that were asked for: by key, by room, or all."""
    rooms = listing()
    if sum((bool(keys), room is not None, everything)) != 1:
        raise TacitError("What to reproduce is not clear; give claims by key, or --room ROOM, or --all.")
    if room is not None and room not in rooms.values():
        raise unknown("room of claims", room, sorted(set(rooms.values())))
    for key in keys:
        module_of(key)
    return keys or [key for key, where in rooms.items() if everything or where == room]
