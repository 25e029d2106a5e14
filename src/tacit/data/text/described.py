"""A .yaml that says of texts what cannot be told by looking: which column, whose tokenizer, which model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tacit.data.text.models import of_model
from tacit.data.text.tokenizer import tokenizer
from tacit.errors import TacitError

FIELDS = ("text", "column", "tokenizer", "model")


class Described(NamedTuple):
    """What a .yaml says of texts."""

    place: Path
    column: str  # "": the one that is found
    model: Mapping[str, Any]  # the tokenizer, and what is known of its model; {}: one is trained


def described(file: Path) -> Described | None:
    """A .yaml with `text`, a file or folder (from its own folder, or absolute); None where it describes something else.

    `column` names the column of a list. `model` is the folder or the name of a model of `transformers`, whose tokenizer is then
    taken; `tokenizer` is a tokenizer.json alone.
    """
    import yaml

    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        return None
    if not isinstance(said, dict) or "text" not in said:
        return None
    for name, value in said.items():
        if name not in FIELDS:
            raise TacitError(f"{file} has a field {name!r}; its fields are {', '.join(FIELDS)}: write one of these.")
        if not isinstance(value, str):
            raise TacitError(f"{file} says {name}: {value!r}; write a name or a path.")
    place = file.parent / said["text"]
    if not place.exists():
        raise TacitError(f"{file} describes {said['text']}, which is not there; give a file or a folder of texts.")
    if "model" in said:
        beside = file.parent / said["model"]
        return Described(place, said.get("column", ""), of_model(str(beside.resolve()) if beside.exists() else said["model"]))
    if "tokenizer" in said:
        return Described(place, said.get("column", ""), {"tokenizer": _written(file.parent / said["tokenizer"])})
    return Described(place, said.get("column", ""), {})


def _written(file: Path) -> str:
    try:
        written = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TacitError(f"The tokenizer {file} cannot be read ({error}); give a tokenizer.json.") from None
    tokenizer(written)  # answers what is no tokenizer
    return written
