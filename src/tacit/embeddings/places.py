"""Where a table lies: a folder, or the address of an object store."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tacit.errors import TacitError

SUFFIX = ".lance"
ADDRESS = re.compile(r"[a-z][a-z0-9+-]*://")
PATIENCE = {"client_max_retries": "4", "client_retry_timeout": "30"}  # an endpoint that is not there is named soon


def address(source: str) -> str:
    """Where files, folders and shards in braces are found from any folder, by the links they were named by; else the same."""
    path = Path(source).expanduser()
    if not source or not (path.exists() or ("{" in path.name and path.parent.is_dir())):
        return source
    return whole(str(path))


def whole(path: str) -> str:
    """The one spelling of a file's path, by which it is found from any folder; an address stays as it is.

    The links it was named by stay too, but for those that `..` stands behind: only what they lead to knows what is above it.
    """
    if ADDRESS.match(path):
        return path
    folder, name = os.path.split(path)
    there = f"{os.path.realpath(folder)}/{name}" if "../" in path else path
    return os.path.abspath(there)  # noqa: PTH100  a Path for each row of a table is slow


@dataclass(frozen=True)
class Address:
    """The address of a table in an object store, such as s3://bucket/photos.lance; it is asked what a path is asked.

    What an object store has no place for, a lock, an index in files, lies in a folder of this machine that belongs to the
    address. Keys come from the environment (AWS_ACCESS_KEY_ID and so on), as LanceDB reads them, and are written nowhere.
    """

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def name(self) -> str:
        """photos.lance"""
        return self.text.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """photos"""
        return self.name.removesuffix(SUFFIX)

    @property
    def parent(self) -> "Address":
        """What the table lies in: the address of a database of LanceDB."""
        return Address(self.text.rpartition("/")[0])

    def absolute(self) -> "Address":
        """Itself: it is the same from every folder."""
        return self

    def with_name(self, name: str) -> Path:
        """A file beside the table: in a folder of this machine, which is made."""
        cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        folder = cache / "tacit" / f"{self.stem}-{hashlib.sha256(self.text.encode()).hexdigest()[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name

    def with_suffix(self, suffix: str) -> Path:
        """A file that the user is to see: in the working folder."""
        return Path(self.stem + suffix)


def place(table: Path | str | Address) -> Path | Address:
    """A path, or an address where it is one (file:// is a path); what cannot name a table is a TacitError."""
    if isinstance(table, Path | Address) or not ADDRESS.match(table):
        found = table if isinstance(table, Address) else Path(table)
    else:
        found = Path(table.removeprefix("file://")) if table.startswith("file://") else Address(table)
    if isinstance(found, Address) and re.search(r"@|[?#]", found.text):
        raise TacitError(
            "The address of the table holds '@', '?' or '#', and perhaps a key that would be written down; give keys by the "
            "environment, such as AWS_ACCESS_KEY_ID, and the plain address."
        )
    if not found.name.endswith(SUFFIX):
        raise TacitError(f"{found} does not end in {SUFFIX}; give the table that embedding wrote, such as photos{SUFFIX}.")
    return found


def database(table: Path | Address) -> Any:
    """LanceDB's connection to what a table lies in."""
    import lancedb

    if isinstance(table, Address):
        return lancedb.connect(str(table.parent), storage_options=PATIENCE)
    return lancedb.connect(table.parent.absolute())
