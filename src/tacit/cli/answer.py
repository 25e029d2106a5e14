"""What a command answers, and how it is written to a file."""

import base64
import json
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from tacit.errors import TacitError


class Usage(TacitError):
    """What was typed is no complete command."""


@dataclass(frozen=True)
class Answer:
    """What a command found out."""

    text: str  # printed
    facts: Any  # written by --json
    then: str = ""  # the command that naturally comes next
    status: int = 0  # of the process; 1 where a part of what was asked for failed


@Parameter(name="*")
@dataclass(frozen=True)
class Shared:
    """The flags of every command."""

    json: Annotated[Path | None, Parameter(help="Write the result to this file.")] = None
    debug: Annotated[bool, Parameter(help="Show the traceback of an error.")] = False


NO_FLAGS = Shared()

Kind = Annotated[
    str | None, Parameter("--as", help="The kind of the data, where the guess is wrong: a column of `tacit methods`.")
]
Seed = Annotated[int | None, Parameter(help="Of all randomness; 0 if not given.")]
Device = Annotated[str | None, Parameter(help="auto, cpu or cuda; auto if not given.")]


def given(**arguments: Any) -> dict[str, Any]:
    """Those arguments that the user gave: what was not given keeps the default of the public function, stated once there."""
    return {name: value for name, value in arguments.items() if value is not None}


def aside(line: str) -> None:
    """Say what is going on while a command works, apart from its answer."""
    sys.stderr.write(line + "\n")


def writable(path: Path) -> None:
    """Refuse, before anything is done, a file that could not be written when it is."""
    if path.is_dir() or not path.name:
        raise TacitError(f"--json {path} is a folder; give a file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(path.parent, os.W_OK):
        raise TacitError(f"--json {path} cannot be written there; give another file.")


def write_json(path: Path, facts: Any) -> None:
    """Write facts beside the file and rename, so that a reader sees all of them or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(json.dumps(plain(facts), indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def plain(value: Any) -> Any:
    """The same facts in JSON's types: what is not finite becomes null, arrays become lists, paths become text, bytes base64."""
    if hasattr(value, "as_dict"):
        return plain(value.as_dict())
    if hasattr(value, "_asdict"):  # a named tuple
        return plain(value._asdict())
    if hasattr(value, "tolist"):  # an array, a tensor or one of their scalars
        return plain(value.tolist())
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
