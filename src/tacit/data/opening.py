"""From what the user points at to Samples: sniffed, or as told."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from torch.utils.data import Dataset

from tacit.data.arrays import from_array, from_npy, from_npz
from tacit.data.captioned.opening import of_pair, open_captioned
from tacit.data.clouds.formats import GEOMETRY, is_cloud
from tacit.data.clouds.samples import open_cloud, open_clouds
from tacit.data.curated.opening import is_manifest, open_manifest
from tacit.data.datasets import from_dataset
from tacit.data.decoding import SUFFIXES
from tacit.data.folders import holds, open_file, open_folder, walk
from tacit.data.image_lists import from_csv, from_parquet, lists_images
from tacit.data.networks.collections import from_list
from tacit.data.networks.files import from_data
from tacit.data.networks.recognising import recognised
from tacit.data.pairs import Pairs
from tacit.data.samples import Samples
from tacit.data.saved_sets import from_saved, is_saved
from tacit.data.series import arrays as series
from tacit.data.shards import braced, from_shards
from tacit.data.sounds.files import is_audio, open_audio
from tacit.data.tabular.files import SUFFIXES as TABLES
from tacit.data.tabular.files import parts_of
from tacit.data.tabular.rows import from_arrow, from_description, from_files
from tacit.data.text.opening import from_datasets, open_texts
from tacit.data.video.decoding import SUFFIXES as VIDEOS
from tacit.data.video.folders import are_frames
from tacit.data.video.samples import open_frames, open_video, open_videos
from tacit.errors import TacitError, unknown
from tacit.modalities import MODALITIES

ARRAYS = {".npz": from_npz, ".npy": from_npy}
LISTS = (".csv", ".tsv")
MANY = {".tar": from_shards, ".parquet": from_parquet}  # of which several files are one source

GIVEN = {
    "pair": "images with captions (a list with columns image and caption, tar shards), or two parts (a tuple of two arrays)",
    "triples": "a .tsv of head, relation and tail",
    "text": "a .txt, or a list with a column of texts",
    "interactions": "a log with columns user, item and time",
    "series": "series",
}

Source: TypeAlias = str | Path | Samples | np.ndarray | tuple[np.ndarray, np.ndarray] | pa.Table | Dataset


def open(source: Source, kind: str | None = None) -> Samples:
    """Open a source; what it holds is told by looking at it unless `kind` says so (`--as`).

    - a folder of images: flat, with class folders, or with train, val and test above either (`folders.scan`)
    - one image file: a sample whose id is the file's name, to be embedded or searched with
    - an .npz with x_train, y_train, x_test, y_test (and x_val, y_val), or with x and y; an .npy; an array in memory:
      images or vectors (`arrays.from_splits`)
    - a .csv, .tsv or .parquet with a column of paths, or a .parquet with a column of encoded images (`image_lists.from_table`)
    - a .csv, .tsv, .parquet, .arrow or .feather without such a column, or several that are named for splits: a table
      (`tabular.rows.from_files`); a .yaml that names one with its label and types (`tabular.files.described`)
    - a manifest that `tacit curate` wrote: the rows that it keeps (`curated.opening`)
    - tar shards: a file, or shard-{000..009}.tar (`shards.from_shards`)
    - a folder of such files without images, or one that `save_to_disk` of the library datasets wrote
    - an .npz with edge_index, a list of edges with source and target, a folder of edges.csv and nodes.csv, or in Python a
      torch_geometric Data: the nodes of a graph (`networks.files`); an .npz with `batch` beside edge_index, or in Python a list
      of Data: whole graphs (`networks.graphs`)
    - a folder of point clouds (.ply, .off, .xyz, or .npy of points × 3), flat, with class folders, or with splits above
    - a folder of videos (.mp4, .avi, .webm, .mkv, .mov), flat, with class folders, or with splits above; a folder of folders
      of frames; uint8 arrays of N × frames × height × width (× 1 or 3)
    - an .npz with incidence, a list with columns node and hyperedge, or a folder of hyperedges.csv and nodes.csv: the nodes
      of a hypergraph (`networks.hypergraph`)
    - triples (head, relation, tail) or links (child, parent) parted by tabs: a .tsv or .tsv.gz, or a folder with train,
      valid and test (`networks.triples`)
    - a .csv, .tsv or .parquet with columns for user, item and time, or a folder with one and a table of items: interactions
      (`interactions`)
    - time series: an .npz, .npy or array of N × channels × length, a .ts, tables with a column of times (`series`)
    - a folder of sounds (.wav, .flac, .ogg, .mp3): flat, with class folders, with splits above, or with a list labels.csv or
      labels.tsv in it; one sound; a list with a column of paths of sounds (`sounds.files`)
    - texts: a .txt or .txt.gz with one per line, a .jsonl, .csv, .tsv or .parquet with a column of prose, a folder of .txt,
      pairs of sentences with a score, documents with queries and judgements, a .yaml that names texts and a model
      (`text.opening`); a Dataset of the library datasets
    - a pyarrow.Table in memory
    - a torch Dataset, map-style (`datasets.from_dataset`)
    - a tuple of two arrays (or opened sources): pairs; of images and a list of texts: images with captions
    - a list with a column of images and one (or several) of captions, a folder with such a list, tar shards with a .txt or
      .json beside each image: images with captions, which are pairs (`captioned.opening`)

    Raises TacitError where there is nothing, nothing readable or nothing of that kind.
    """
    if kind is not None and kind not in MODALITIES:
        raise unknown("kind of data", kind, sorted(MODALITIES))
    samples = _opened(source, kind)
    if kind not in (None, samples.kind):
        article = GIVEN.get(kind or "", f"{kind}s")
        raise TacitError(
            f"{samples.source} holds {samples.kind.removesuffix('s')}s and was to be opened as {kind}; give {article}, or "
            f"leave out --as {kind}."
        )
    return samples


def _opened(source: Source, kind: str | None) -> Samples:
    if isinstance(source, Samples):
        return source
    if isinstance(source, np.ndarray) and (kind == "series" or (kind is None and series.are_series_array(source))):
        return series.from_array(source)
    if isinstance(source, list) and source and all(isinstance(one, np.ndarray) for one in source):
        return series.from_list(source)
    if isinstance(source, np.ndarray):
        return from_array(source, "the array", None if kind == "pair" else kind)
    if isinstance(source, list | tuple) and source and all(hasattr(one, "edge_index") for one in source):
        return from_list(source)
    if isinstance(source, tuple):
        return _pair(source)
    if isinstance(source, pa.Table):
        return from_arrow(source)
    if isinstance(source, Dataset):
        return from_dataset(source)
    if hasattr(source, "edge_index"):
        return from_data(source)
    if hasattr(source, "with_format") and (texts := from_datasets(source)) is not None:
        return texts
    if not isinstance(source, str | Path):
        raise TacitError(
            f"A {type(source).__name__} cannot be opened; give a path, a numpy array, a tuple of two arrays, an Arrow table "
            "or a torch Dataset."
        )
    if source == "":
        raise TacitError('The path is empty (""); give the path of a folder or a file, or "." for the folder you are in.')
    path = Path(source).expanduser()
    if path.is_dir():
        return _folder(path, str(source), kind)
    if path.exists():
        return _files([path], str(source), kind)
    if files := braced(str(source)):
        return _files(files, str(source), kind)
    raise TacitError(
        f"There is no {source}; give a folder of images, sounds, videos or point clouds, a list, tar shards, an .npz or an "
        f".npy{_near(path)}."
    )


def _folder(path: Path, source: str, kind: str | None) -> Samples:
    """Images, else what was saved there, else the shards or the one file that hold the samples."""
    if kind == "cloud":
        return open_clouds(path, source)
    if kind == "video" or (kind is None and holds(path, VIDEOS) and not holds(path)):
        return open_videos(path, source) if holds(path, VIDEOS) else open_frames(path, source)
    if is_audio(path, kind == "audio"):
        return open_audio(path, source)
    if (pairs := open_captioned([path], source, kind)) is not None:
        return pairs
    if is_saved(path):
        texts = open_texts(path, source, kind)
        return from_saved(path, source) if texts is None else texts
    if (connected := recognised(path, source, kind)) is not None:
        return connected
    if (texts := open_texts(path, source, kind)) is not None:
        return texts
    if not holds(path):
        if holds(path, GEOMETRY):
            return open_clouds(path, source)
        visible = (path / (prefix + name) for prefix, names in walk(path) for name in names if not name.startswith("."))
        held = sorted(file for file in visible if file.suffix.lower() in (*ARRAYS, *MANY, *TABLES) and file.is_file())
        if len(held) > 1 and {file.suffix.lower() for file in held} <= {*LISTS} and parts_of(held) is not None:
            return from_files(held, source)
        if len(held) == 1 or (held and held[0].suffix.lower() in MANY and len({f.suffix.lower() for f in held}) == 1):
            return _files(held, source, kind)
        if held and all(is_cloud(file) for file in held[:4]):
            return open_clouds(path, source)
        if held:
            names = ", ".join(file.relative_to(path).as_posix() for file in held[:4])
            raise TacitError(f"{source} holds no image but {names}{', …' if len(held) > 4 else ''}; give one of these files.")
    return open_frames(path, source) if kind is None and are_frames(path) else open_folder(source)


def _files(files: Sequence[Path], source: str, kind: str | None) -> Samples:
    """One file, or the many that are one source."""
    path, suffix = files[0], files[0].suffix.lower()
    if len(files) == 1 and kind != "table" and is_manifest(path):
        return open_manifest(path, source, open)
    if len(files) == 1 and is_audio(path, kind == "audio"):
        return open_audio(path, source)
    if (pairs := open_captioned(files, source, kind)) is not None:
        return pairs
    if len(files) == 1 and (connected := recognised(path, source, kind)) is not None:
        return connected
    if len(files) == 1 and (texts := open_texts(path, source, kind)) is not None:
        return texts
    if suffix in (".yaml", ".yml"):
        return from_description(path, source)
    if suffix in TABLES and (kind == "table" or (kind is None and not lists_images(path))):
        return from_files(files, source)
    if suffix in MANY:
        return MANY[suffix](files, source)
    if len(files) > 1:
        raise TacitError(f"{source} stands for {len(files)} files; only .tar and .parquet are read as one source.")
    if suffix in SUFFIXES:
        return open_file(source)
    if suffix in VIDEOS:
        return open_video(path, source)
    if suffix in GEOMETRY or (kind == "cloud" and is_cloud(path)):
        return open_cloud(path, source)
    if suffix in ARRAYS:
        return ARRAYS[suffix](path, source, None if kind == "pair" else kind)
    if suffix in LISTS:
        return from_csv(path, source)
    if not path.stat().st_size:
        raise TacitError(f"{source} is empty; give a file that holds samples.")
    hint = "unpack it with gunzip first" if suffix in (".gz", ".tgz") else "give images (a folder or one file), tar shards"
    raise TacitError(f"{source} is a file that Tacit does not open; {hint}, texts, a .csv or .parquet, an .npz or an .npy.")


def _pair(parts: Sequence[np.ndarray | Samples | list]) -> Pairs:
    if len(parts) == 2 and isinstance(parts[0], np.ndarray | Samples) and isinstance(parts[1], list):
        return of_pair(_opened(parts[0], None), parts[1])
    if len(parts) != 2 or not all(isinstance(part, np.ndarray | Samples) for part in parts):
        raise TacitError(f"A tuple of {len(parts)} was given; pairs are a tuple of two arrays of equal length.")
    first, second = (_opened(part, None) for part in parts)
    return Pairs.of(first, second)


def _near(path: Path) -> str:
    """A hint at what lies beside a path that does not exist."""
    from difflib import get_close_matches

    if not path.parent.is_dir():
        return ""
    near = get_close_matches(path.name, (other.name for other in path.parent.iterdir()), n=1)
    return f" (did you mean {path.parent / near[0]}?)" if near else ""
