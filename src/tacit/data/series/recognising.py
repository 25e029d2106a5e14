"""Which files and folders hold series, and how each is opened."""

from pathlib import Path

from tacit.data.series.archive import archives_in, is_archive, open_archives
from tacit.data.series.arrays import are_series, is_series_npy, open_npy, open_npz
from tacit.data.series.samples import SeriesSamples
from tacit.data.series.tables import SUFFIXES, is_long, open_tables
from tacit.data.tabular.files import parts_of
from tacit.errors import TacitError

ENDINGS = (".npz", ".npy", ".ts", *SUFFIXES)


def holds_series(path: Path, told: bool = False) -> bool:
    """Whether a file holds series, or the files of a folder do that are its splits; `told`: the user says so."""
    if told:
        return True
    if path.is_dir():
        files = _tables_in(path)
        return bool(archives_in(path)) or (bool(files) and all(map(is_long, files)))
    suffix = path.suffix.lower()
    if suffix in (".npz", ".npy"):
        return are_series(path) if suffix == ".npz" else is_series_npy(path)
    return is_archive(path) or is_long(path)


def open_series(path: Path, source: str) -> SeriesSamples:
    """The series of a file, or of the files of a folder: .ts or tables named for splits, or a single file."""
    files = [path]
    if path.is_dir():
        files = archives_in(path) or _tables_in(path)
        if not files:
            files = sorted(file for file in path.iterdir() if file.suffix.lower() in ENDINGS and not file.name.startswith("."))
        if not files:
            raise TacitError(f"{source} holds no series; give a .ts, .npz, .npy, .csv, .tsv or .parquet of them.")
        if len(files) > 1 and parts_of(files) is None:
            raise TacitError(
                f"{source} holds {len(files)} files that are not named for splits ({files[0].name}, …); give one of them."
            )
    suffix = files[0].suffix.lower()
    if is_archive(files[0]):
        return open_archives(files, source)
    if suffix in SUFFIXES:
        return open_tables(files, source)
    if suffix in (".npz", ".npy"):
        return open_npz(files[0], source) if suffix == ".npz" else open_npy(files[0], source)
    raise TacitError(f"{source} is no file of series; give a .ts, .npz, .npy, .csv, .tsv or .parquet of them.")


def _tables_in(folder: Path) -> list[Path]:
    """Tables that are named for splits."""
    found = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())
    return found if parts_of(found) is not None else []
