"""Files that appear whole or not at all."""

import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from platform import node

from tacit.errors import TacitError


def parquet_file(path: str | Path) -> Path:
    """A path that a Parquet file can be written to, its folder made; another ending is refused."""
    path = Path(path)
    if path.suffix != ".parquet":
        raise TacitError(f"--out {path} does not end in .parquet; give such a name.")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def part_of(path: Path) -> Path:
    """A hidden name beside `path` to write to, this process's own; what killed processes of this machine left there goes."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.{glob.escape(node())}.*.part"):
        number = left.suffixes[-2].removeprefix(".")
        if number.isdecimal() and not _runs(int(number)):
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
    return path.with_name(f".{path.name}.{node()}.{os.getpid()}.part")


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # another user's; and what is no process's number is nobody's to remove
        return True
    return True


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """A hidden file beside `path` to write into, which takes its place in the end; what fails leaves what was there."""
    part = part_of(path)  # another process may write the same file
    try:
        yield part
        part.replace(path)
    except OSError as error:
        why = (error.strerror or str(error)).rpartition("] ")[2]  # Arrow's ends with "[errno 28] No space left on device"
        raise TacitError(f"{path} could not be written ({why}); free some space or give another.") from error
    finally:
        part.unlink(missing_ok=True)
