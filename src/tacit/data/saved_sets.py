"""What `save_to_disk` of Hugging Face's `datasets` wrote: Arrow files, mapped into memory, with facts in JSON beside them."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from tacit.data.folders import SPLITS
from tacit.data.image_lists import from_tables
from tacit.data.images import EncodedImages
from tacit.errors import TacitError


def is_saved(folder: Path) -> bool:
    """Whether a folder is a saved Dataset or DatasetDict."""
    alone = all((folder / name).is_file() for name in ("state.json", "dataset_info.json"))  # a state.json may be anyone's
    return alone or (folder / "dataset_dict.json").is_file()


def from_saved(folder: Path, source: str) -> EncodedImages:
    """A saved Dataset, or a DatasetDict with its splits; its images stay on disk until they are read."""
    tables, marks, features = saved_tables(folder, source)
    return from_tables(tables, marks, folder, source, features)


def saved_tables(folder: Path, source: str) -> tuple[list[pa.Table], list[str] | None, dict[str, Any]]:
    """The tables that were saved, the split of each (None without splits), and what is said of their columns."""
    if not (folder / "dataset_dict.json").is_file():
        tables, features = _saved(folder, source)
        if not tables:
            raise TacitError(f"{source} is a saved dataset that lists nothing; save it again with its samples.")
        return tables, None, features
    tables, marks, features = [], [], {}
    for name in _json(folder / "dataset_dict.json", source).get("splits", []):
        parts, said = _saved(folder / Path(name).name, source)
        tables += parts
        marks += [SPLITS.get(name.lower(), name)] * len(parts)
        features |= said
    if not tables:
        raise TacitError(f"{source} is a saved DatasetDict that lists nothing; save it again with its splits.")
    return tables, marks, features


def _saved(folder: Path, source: str) -> tuple[list[pa.Table], dict[str, Any]]:
    """The tables of one saved Dataset, and its features."""
    state, facts = (_json(folder / name, source) for name in ("state.json", "dataset_info.json"))
    if state.get("_indices_data_files"):
        raise TacitError(f"{source} was saved with an index apart, by an old `datasets`; save it again with a current one.")
    try:
        files = [folder / Path(entry["filename"]).name for entry in state.get("_data_files") or []]
    except (KeyError, TypeError):
        raise TacitError(
            f"{source} is a saved dataset whose state.json lists a file without its name; save it again."
        ) from None
    tables = []
    for file in files:
        try:
            tables.append(pa.ipc.open_stream(pa.memory_map(str(file))).read_all())
        except (pa.ArrowException, OSError) as error:
            why = " ".join(str(error).split()).rstrip(".")
            raise TacitError(f"{file} cannot be read ({why}); save the dataset again.") from None
    return tables, facts.get("features") or {}


def _json(file: Path, source: str) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise TacitError(f"{source} is a saved dataset whose {file.name} cannot be read ({error}); save it again.") from None
