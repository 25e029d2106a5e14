"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tacit.errors import TacitError


def parquet_file(path: str | Path) -> Path:
    """A path that a Parquet file can be written to, its folder made; another ending is refused."""
    path = Path(path)
    if path.suffix != ".parquet":
        raise TacitError(f"--out {path} does not end in .parquet; give such a name.")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """A hidden file beside `path` to write into, which takes its place in the end; what fails leaves what was there."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")  # another process may write the same file
    try:
        yield part
        part.replace(path)
    except OSError as error:
        why = (error.strerror or str(error)).rpartition("] ")[2]  # Arrow's ends with "[errno 28] No space left on device"
        raise TacitError(f"{path} could not be written ({why}); free some space or give another.") from error
    finally:
        part.unlink(missing_ok=True)
