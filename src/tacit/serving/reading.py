"""What a client sends, as samples that the run understands: one reader for each kind of data.

An upload is never opened as a path is: what lies in lists, descriptions and archives can name files of this disk, or unpack to
more than memory holds. Each reader takes formats that hold their samples themselves and are not larger than they seem, and
looks at what a header claims before anything is decoded.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import torch

from tacit.data.decoding import SUFFIXES, Encoded, Unreadable, header
from tacit.data.images import EncodedImages
from tacit.data.samples import Samples
from tacit.data.series.recognising import open_series
from tacit.data.series.samples import Long, SeriesSamples
from tacit.data.sounds import formats as sounds
from tacit.data.sounds.samples import Kept, SoundSamples
from tacit.data.tabular.files import Said, blocks
from tacit.data.tabular.rows import from_arrow
from tacit.data.text.opening import from_strings
from tacit.data.vectors import VectorArrays
from tacit.embeddings.read import mapped_array
from tacit.errors import TacitError
from tacit.material import at_side
from tacit.serving.limits import IMAGES, Limits, Refused

SOUND = 1 << 24  # samples of all channels that are decoded of one sound
FASTEST = 384_000  # samples a second that a sound may claim


class Reader(Protocol):
    """How one kind of data comes in.

    Items are samples as they wait: checked, small, and independent of one another, so that those of several requests can be
    opened as one source. Every method may be called by any thread.
    """

    kind: str
    suffixes: frozenset[str]  # of uploads; none where there are none

    def upload(self, name: str, content: bytes) -> list[Any]:
        """The items of one uploaded file; a TacitError where there are none."""

    def given(self, values: Sequence[Any]) -> list[Any]:
        """The items of values in JSON; a TacitError where they are none."""

    def samples(self, items: Sequence[Any]) -> Samples:
        """Items as samples that the run's encoder understands."""

    def size(self, item: Any) -> int:
        """The bytes that an item takes while it waits."""


def reader_of(facts: Mapping[str, Any], limits: Limits) -> Reader | None:
    """The reader of the data that these facts of a run are about; None where there is none."""
    readers: dict[str, Callable[[Mapping[str, Any], Limits], Reader]] = {
        "image": ImageReader,
        "text": TextReader,
        "vector": VectorReader,
        "audio": SoundReader,
        "series": SeriesReader,
        "table": RowReader,
    }
    make = readers.get(facts["kind"])
    return None if make is None else make(facts, limits)


class Picture(NamedTuple):
    """An image that waits encoded."""

    content: bytes
    pixels: int  # that its header claims


class _Held:
    """Encoded images in memory."""

    def __init__(self, pictures: Sequence[Picture]):
        self.pictures = pictures

    def content(self, row: int) -> Encoded:
        return self.pictures[row].content

    def path(self, row: int) -> str | None:
        return None

    def weight(self, rows: Sequence[int]) -> int:
        return sum(len(self.pictures[row].content) for row in rows)


class ImageReader:
    """Images as files of any format that Tacit decodes."""

    kind = "image"
    suffixes = SUFFIXES

    def __init__(self, facts: Mapping[str, Any], limits: Limits):
        self.facts, self.limits = facts, limits

    def upload(self, name: str, content: bytes) -> list[Picture]:
        try:
            found = header(content)
        except Unreadable as error:
            raise Refused(400, "unreadable", f"it cannot be read ({error}); send a JPEG, PNG or WebP.") from None
        claimed = found.height * found.width
        if claimed > self.limits.pixels:
            raise Refused(
                413,
                "too_large",
                f"it claims {found.width} × {found.height} pixels, and {self.limits.pixels / 1e6:g} million are taken; "
                "send it smaller.",
            )
        return [Picture(content, claimed)]

    def given(self, values: Sequence[Any]) -> list[Any]:
        raise _only_uploads("images")

    def samples(self, items: Sequence[Picture]) -> Samples:
        shape = (self.facts["channels"], self.facts["size"], self.facts["size"])
        opened = EncodedImages("the images", _Held(items), np.arange(len(items)), _ids(items), shape)
        return at_side(opened, dict(self.facts))

    def size(self, item: Picture) -> int:
        return len(item.content)


class TextReader:
    """Texts as strings."""

    kind = "text"
    suffixes: frozenset[str] = frozenset()

    def __init__(self, facts: Mapping[str, Any], limits: Limits):
        self.facts = facts

    def upload(self, name: str, content: bytes) -> list[Any]:
        raise TacitError("Texts are sent as JSON, not as files; post them to /v1/embeddings as `input`.")

    def given(self, values: Sequence[Any]) -> list[str]:
        if not all(isinstance(value, str) for value in values):
            raise TacitError(
                "input holds token numbers, which are those of another tokenizer; send the texts themselves as strings."
            )
        if (empty := next((place for place, text in enumerate(values) if not text.strip()), None)) is not None:
            raise TacitError(f"input[{empty}] is an empty text; send texts with at least a letter.")
        if (broken := next((i for i, text in enumerate(values) if not _is_unicode(text)), None)) is not None:
            raise TacitError(f"input[{broken}] holds half of a character (a lone surrogate); send whole ones.")
        return list(values)

    def samples(self, items: Sequence[str]) -> Samples:
        return at_side(from_strings(items), dict(self.facts))

    def size(self, item: str) -> int:
        return 4 * len(item)


class VectorReader:
    """Rows of numbers: JSON, or the rows of an .npy."""

    kind = "vector"
    suffixes = frozenset((".npy",))

    def __init__(self, facts: Mapping[str, Any], limits: Limits):
        self.width, self.limits = facts["shape"][0], limits

    def upload(self, name: str, content: bytes) -> list[np.ndarray]:
        with _file(name, content, ".npy") as path:
            values = mapped_array(path)
            if values.ndim != 2 or values.dtype.kind not in "fiu":
                raise TacitError(f"{name} holds {values.dtype} of shape {values.shape}; send n × {self.width} numbers.")
            _few(len(values), name, self.limits)
            return self._rows(np.array(values), name)

    def given(self, values: Sequence[Any]) -> list[np.ndarray]:
        rows = [values] if values and isinstance(values[0], int | float) else values
        if not all(isinstance(row, list) and len(row) == self.width for row in rows):
            raise TacitError(f"input is not made of vectors of {self.width} numbers, which this run was trained on; send such.")
        return self._rows(np.array(rows, np.float64), "input")

    def _rows(self, values: np.ndarray, name: str) -> list[np.ndarray]:
        if values.shape[1] != self.width:
            raise TacitError(f"{name} holds vectors of {values.shape[1]} numbers; this run was trained on {self.width}.")
        with np.errstate(over="ignore"):
            rows = values.astype(np.float32)
        if not np.isfinite(rows).all():
            raise TacitError(f"{name} holds NaN, infinity or what float32 does not hold; leave these rows out.")
        return list(rows)

    def samples(self, items: Sequence[np.ndarray]) -> Samples:
        return VectorArrays("the vectors", np.stack(items), np.arange(len(items)), _ids(items))

    def size(self, item: np.ndarray) -> int:
        return item.nbytes


class SoundReader:
    """Sounds as files; they wait decoded, at the rate of the run, at most `sounds.LONGEST` seconds of each."""

    kind = "audio"
    suffixes = sounds.SUFFIXES

    def __init__(self, facts: Mapping[str, Any], limits: Limits):
        self.rate = int(facts["rate"])

    def upload(self, name: str, content: bytes) -> list[sounds.Wave]:
        suffix = Path(name).suffix.lower()
        with _file(name, content, suffix if suffix in self.suffixes else ".wav") as path:
            try:
                found = sounds.header(path)
                heard = min(found.frames, sounds.LONGEST * found.rate) * found.channels
                if found.rate > FASTEST or heard > SOUND:
                    raise Unreadable(f"{found.channels} channels of {found.rate:,} samples a second are too much")
                return [sounds.decode(path, self.rate)]
            except Unreadable as error:
                raise Refused(400, "unreadable", f"it cannot be read ({error}); send a WAV, FLAC, OGG or MP3.") from None

    def given(self, values: Sequence[Any]) -> list[Any]:
        raise _only_uploads("sounds")

    def samples(self, items: Sequence[sounds.Wave]) -> Samples:
        places, nothing = np.arange(len(items)), torch.zeros(0, 1)  # nothing is mixed into a plain view
        return SoundSamples("the sounds", None, places, _ids(items), self.rate, (1.0, 1.0), kept=Kept.of(items), others=nothing)

    def size(self, item: sounds.Wave) -> int:
        return item.values.nbytes


class SeriesReader:
    """Time series: .npy of N × channels × length, .csv, .tsv or .ts; windows where the run was trained on windows."""

    kind = "series"
    suffixes = frozenset((".npy", ".csv", ".tsv", ".ts"))

    def __init__(self, facts: Mapping[str, Any], limits: Limits):
        self.facts, self.limits = facts, limits

    def upload(self, name: str, content: bytes) -> list[np.ndarray]:
        with _file(name, content, _suffix(name, self)) as path:
            found = open_series(path, name).fitted(self.facts)
            _few(len(found), name, self.limits)
            if 4 * int(found.lengths.sum()) * len(found.names) > self.limits.held:
                raise Refused(413, "too_large", f"{name} holds more values than are taken at once; send it in parts.")
            _, bad = found.read(np.arange(len(found)))
            if bad:
                place, why = next(iter(bad.items()))
                raise TacitError(f"Series {place} of {name} cannot be used ({why}); leave it out.")
            spans = zip(found.starts.tolist(), found.lengths.tolist())
            return [np.array(found.values[start : start + length], np.float32) for start, length in spans]

    def given(self, values: Sequence[Any]) -> list[Any]:
        raise _only_uploads("series")

    def samples(self, items: Sequence[np.ndarray]) -> Samples:
        lengths = np.array([len(item) for item in items], np.int64)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
        long = Long((), self.facts["window"], 1) if self.facts["window"] else None
        names = tuple(self.facts["names"])
        return SeriesSamples("the series", np.concatenate(items), starts, lengths, _ids(items), names, long=long)

    def size(self, item: np.ndarray) -> int:
        return item.nbytes


class RowReader:
    """Rows of a table: objects of JSON, or the lines of a .csv or .tsv. What is missing is null, or empty."""

    kind = "table"
    suffixes = frozenset((".csv", ".tsv"))

    def __init__(self, facts: Mapping[str, Any], limits: Limits):
        self.types = {column["name"]: column["type"] for column in facts["columns"]}
        self.limits = limits

    def upload(self, name: str, content: bytes) -> list[dict[str, str | None]]:
        rows: list[dict[str, str | None]] = []
        with _file(name, content, _suffix(name, self)) as path:
            for block in blocks(path):
                _few(len(rows) + len(block), name, self.limits)
                self._complete(block.schema.names, name)
                rows += block.select(list(self.types)).to_pylist()
        if not rows:
            raise TacitError(f"{name} lists nothing; send a line of names and at least one row.")
        return rows

    def given(self, values: Sequence[Any]) -> list[dict[str, str | None]]:
        if not all(isinstance(value, dict) for value in values):
            raise TacitError(f"input must be objects with the columns {', '.join([*self.types][:4])}, …; send such.")
        for place, row in enumerate(values):
            self._complete(row, f"input[{place}]")
        return [{name: _cell(row[name]) for name in self.types} for row in values]

    def _complete(self, names: Any, where: str) -> None:
        if lacking := [name for name in self.types if name not in names]:
            raise TacitError(
                f"{where} lacks {len(lacking)} of the {len(self.types)} columns that were trained on "
                f"({', '.join(lacking[:4])}); give them, null or empty where nothing is known."
            )

    def samples(self, items: Sequence[dict[str, str | None]]) -> Samples:
        form = pa.schema([pa.field(name, pa.string()) for name in self.types])
        table = pa.Table.from_pylist(list(items), form)
        return from_arrow(table, "the rows", Said(columns=self.types), labelled=False)

    def size(self, item: dict[str, str | None]) -> int:
        return sum(64 + len(cell or "") for cell in item.values())


def read_uploads(reader: Reader, files: Sequence[tuple[str, bytes]], limits: Limits) -> list[Any]:
    """The items of all files of a request, in their order."""
    items: list[Any] = []
    for place, (name, content) in enumerate(files):
        said = f"files[{place}]" + (f" ({Path(name).name[:80]})" if name else "")
        if not content:
            raise TacitError(f"{said} is empty; send a file with something in it.")
        try:
            items += reader.upload(Path(name).name, content)  # its name tells the format; of a path only the last part
        except Refused as refused:
            raise Refused(refused.status, refused.code, f"{said}: {refused}") from None
        except TacitError as error:
            raise TacitError(f"{said}: {error}") from None
        _few(len(items), "The request", limits)
    if reader.kind == "image" and sum(item.pixels for item in items) > IMAGES * limits.pixels:
        raise Refused(413, "too_large", "These images claim too many pixels together; send fewer, or smaller ones.")
    return items


def _few(count: int, where: str, limits: Limits) -> None:
    if count > limits.samples:
        raise Refused(413, "too_many", f"{where} holds more than {limits.samples:,} samples; send them in several requests.")


@contextmanager
def _file(name: str, content: bytes, suffix: str) -> Iterator[Path]:
    """An upload in a file of its own, gone afterwards; what is said of it names the upload."""
    with TemporaryDirectory(prefix="tacit-") as folder:
        path = Path(folder) / f"upload{suffix}"
        path.write_bytes(content)
        try:
            yield path
        except Refused:
            raise
        except TacitError as error:
            raise TacitError(str(error).replace(str(path), name).replace(path.name, name)) from None


def _suffix(name: str, reader: Reader) -> str:
    suffix = Path(name).suffix.lower()
    if suffix not in reader.suffixes:
        known = ", ".join(sorted(reader.suffixes))
        raise TacitError(f"{name} is no file of this run's kind, {reader.kind}; send one that ends in {known}.")
    return suffix


def _cell(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _ids(items: Sequence[Any]) -> list[str]:
    return [str(place) for place in range(len(items))]


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
        return True
    except UnicodeEncodeError:
        return False


def _only_uploads(what: str) -> TacitError:
    return TacitError(f"This run embeds {what}, which are sent as files; post them to /v1/embeddings/upload as `files`.")
