"""Triples: a knowledge graph's facts (head, relation, tail), or the links of a hierarchy, in columns parted by tabs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import torch
from torch import Tensor

from tacit.data.decoding import SUFFIXES
from tacit.data.folders import SPLITS
from tacit.data.memory import free_memory
from tacit.data.samples import Samples
from tacit.data.selecting import selected
from tacit.errors import TacitError
from tacit.numerics import counter

ENDINGS = (".tsv", ".tsv.gz", ".txt", ".txt.gz")
LOOKED_AT = 1 << 18  # bytes by which a file is told
THRESHOLD = 0.01  # the share of lines that are no triples, above which nothing is read


class Triples(NamedTuple):
    """Facts as positions in the vocabulary, int64, n each; of an entity alone relation and tail are −1."""

    head: Tensor
    relation: Tensor
    tail: Tensor


class Graph(NamedTuple):
    """What all triples of a part share: the part itself."""

    triples: Tensor  # int64, N × 3


@dataclass(eq=False, repr=False)
class TripleSamples(Samples):
    """Triples as positions among `entities` and `relations`; −1 is what a vocabulary lacks, by `strange` of which row.

    `triples` holds all rows of the source whatever part this is: ranking filters by all that is known to be true.
    """

    source: str
    triples: np.ndarray  # int64, N × 3: head, relation, tail
    rows: np.ndarray  # int64: the row of each sample in `triples`
    ids: list[str]
    entities: Sequence[str]
    relations: Sequence[str]
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    strange: Mapping[int, str] = field(default_factory=dict)
    kind = "triples"

    def read(self, index: np.ndarray) -> tuple[Triples, dict[int, str]]:
        """Triples whose names are all in the vocabulary, and what is unknown of the others."""
        known = self.triples[self.rows[index]]
        whole = (known >= 0).all(1)
        bad = {int(at): f"{self.strange[int(self.rows[at])]} was not trained on" for at in np.asarray(index)[~whole]}
        return Triples(*torch.from_numpy(known[whole]).unbind(1)), bad

    def take(self, index: np.ndarray) -> "TripleSamples":
        return replace(self, rows=self.rows[index], **selected(self, index))

    def facts(self) -> dict[str, Any]:
        """The names that occur in this part, in the order of the alphabet: what a run knows."""
        here = self.triples[self.rows]
        entities = np.unique(here[:, [0, 2]])
        relations = np.unique(here[:, 1])
        return {
            "kind": self.kind,
            "shape": [3],
            "entities": [self.entities[e] for e in entities[entities >= 0]],
            "relations": [self.relations[r] for r in relations[relations >= 0]],
        }

    def statistics(self) -> dict[str, Any]:
        return {}

    @property
    def context(self) -> Graph:
        return Graph(torch.from_numpy(self.triples[self.rows]))

    def fitted(self, facts: Mapping[str, Any]) -> "TripleSamples":
        """The same triples in the vocabulary of `facts`."""
        entities, relations = _places(self.entities, facts["entities"]), _places(self.relations, facts["relations"])
        moved = np.stack([entities[self.triples[:, 0]], relations[self.triples[:, 1]], entities[self.triples[:, 2]]], 1)
        strange = {int(row): self._unknown(int(row), moved[row]) for row in np.flatnonzero((moved < 0).any(1))}
        names = {"entities": facts["entities"], "relations": facts["relations"]}
        return replace(self, triples=moved, strange=strange, **names)

    def embedded(self) -> "EntitySamples":
        """The entities of these triples, which is what has an embedding."""
        known = np.unique(self.triples[self.rows][:, [0, 2]])
        known = known[known >= 0]
        return EntitySamples(self.source, known, [self.entities[e] for e in known])

    def _unknown(self, row: int, moved: np.ndarray) -> str:
        """Which name of a row the vocabulary lacks."""
        column = int(np.flatnonzero(moved < 0)[0])
        names = self.relations if column == 1 else self.entities
        return f"the {('head', 'relation', 'tail')[column]} {names[self.triples[row, column]]}"


@dataclass(eq=False, repr=False)
class EntitySamples(Samples):
    """Entities by name: samples of which only the head is said."""

    source: str
    places: np.ndarray  # int64: of each in the vocabulary
    ids: list[str]
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    kind = "triples"

    def read(self, index: np.ndarray) -> tuple[Triples, dict[int, str]]:
        head = torch.from_numpy(self.places[index])
        nothing = torch.full_like(head, -1)
        return Triples(head, nothing, nothing), {}

    def take(self, index: np.ndarray) -> "EntitySamples":
        return replace(self, places=self.places[index], **selected(self, index))

    def embedded(self) -> "EntitySamples":
        return self


def are_triples(path: Path, told: bool = False) -> bool:
    """Whether a file, or the training file of a folder, looks like triples; `told`: the user says that it holds some."""
    if path.is_dir():
        return bool(_files_in(path)) and (told or holds_triples(_files_in(path)[0]))
    return told or holds_triples(path)


def open_triples(path: Path, source: str) -> TripleSamples:
    """The triples of a file, or of the train, valid and test files of a folder (`from_triples`)."""
    return from_triples(_files_in(path) if path.is_dir() else [path], source)


def holds_triples(file: Path) -> bool:
    """Whether a file has two or three columns of names parted by tabs, and some name stands in both the first and the last."""
    if not file.name.lower().endswith(ENDINGS[:2]):
        return False
    try:
        with pa.input_stream(str(file), compression="detect") as stream:
            start = stream.read(LOOKED_AT).decode("utf-8", "replace")
    except OSError:
        return False
    whole = start[: start.rfind("\n") + 1] or start  # the last line may have been cut
    rows = [line.split("\t") for line in whole.splitlines()]
    whole_rows = sum(len(row) == len(rows[0]) for row in rows) if rows else 0
    if whole_rows <= len(rows) / 2 or len(rows[0]) not in (2, 3):
        return False
    heads, tails = ({row[end] for row in rows if len(row) == len(rows[0])} for end in (0, -1))
    shared = heads & tails
    return any(not _is_number(name) and Path(name).suffix.lower() not in SUFFIXES for name in shared)


def _files_in(folder: Path) -> list[Path]:
    """The train, valid and test files of a folder, the first of them first; [] where there is no training file."""
    found = {
        name: folder / f"{name}{ending}" for ending in ENDINGS for name in SPLITS if (folder / f"{name}{ending}").is_file()
    }
    return [found[name] for name in SPLITS if name in found] if "train" in found else []


def from_triples(files: Sequence[Path], source: str) -> TripleSamples:
    """Triples of one file, or of the files of several splits; ids are "train/00012", or "00012" of a file without a split.

    Lines have three fields (head, relation, tail) or two (then the relation is the second column's name, else "link"). A
    first line of which no name occurs again is a header. Lines of another number of fields are left out, counted and named.
    """
    tables = [_read(file, source) for file in files]
    wrong = sum(len(table.wrong) for table in tables)
    lines = sum(len(table.columns[0]) for table in tables)
    if wrong > THRESHOLD * (lines + wrong):
        first = next(table.wrong[0] for table in tables if table.wrong)
        raise TacitError(
            f"{wrong} of {lines + wrong} lines of {source} are no triples ({first}); give head, relation and tail (or child "
            "and parent) parted by tabs."
        )
    if not lines:
        raise TacitError(f"{source} holds no triples; give lines of head, relation and tail parted by tabs.")
    splits = [SPLITS[file.name.partition(".")[0].lower()] for file in files] if len(files) > 1 else [""]
    samples = from_names([[*table.columns] for table in tables], splits, source)
    headers = "; ".join(", ".join(table.header) for table in tables if table.header)
    notes = {"header": f"{headers} (no triple)"} if headers else {}
    if wrong:
        said = "; ".join([line for table in tables for line in table.wrong][:3])
        notes["left out"] = f"{wrong:,} lines that are no triples ({said})"
    return replace(samples, notes=notes)


def from_names(parts: Sequence[Sequence[Any]], splits: Sequence[str], source: str = "the triples") -> TripleSamples:
    """Parts of three columns of names each, with the name of each part's split ("" where there is only one)."""
    columns = [pa.chunked_array([pa.array(part[c], pa.string()) for part in parts], pa.string()) for c in range(3)]
    count = len(columns[0])
    ends, entities = _numbered(pa.chunked_array([*columns[0].chunks, *columns[2].chunks], pa.string()))
    middle, relations = _numbered(columns[1])
    triples = np.stack([ends[:count], middle, ends[count:]], 1)
    sizes = [len(part[0]) for part in parts]
    ids = [f"{name}/{row:05d}" if name else f"{row:05d}" for name, size in zip(splits, sizes) for row in range(size)]
    marks = np.repeat(splits, sizes) if splits != [""] else None
    return TripleSamples(source, triples, np.arange(count), ids, entities, relations, splits=marks)


class _Table(NamedTuple):
    columns: list[pa.Array]  # three, of names
    header: list[str]
    wrong: list[str]  # lines that are no triples, as they are said


def _read(file: Path, source: str) -> _Table:
    wrong: list[str] = []

    def left_out(row: Any) -> str:
        wrong.append(f"{file.name}: {row.text[:60]!r} has {row.actual_columns} fields, not {row.expected_columns}")
        return "skip"

    try:
        with pa.input_stream(str(file), compression="detect") as stream:
            content = stream.read(most := free_memory())
        if len(content) >= most:
            raise TacitError(
                f"{file.name} of {source} unpacks to more than the {most / 2**30:.1f} GiB of free memory; split it."
            )
        table = csv.read_csv(
            pa.BufferReader(content),
            read_options=csv.ReadOptions(use_threads=False, autogenerate_column_names=True),
            parse_options=csv.ParseOptions(delimiter="\t", quote_char=False, invalid_row_handler=left_out),
            convert_options=csv.ConvertOptions(
                column_types={f"f{number}": pa.string() for number in range(9)}, strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, OSError) as error:
        why = " ".join(str(error).split())[:120]
        raise TacitError(f"{source} is no list of triples in UTF-8 ({why}); give names parted by tabs.") from None
    if table.num_columns not in (2, 3):
        raise TacitError(
            f"{file.name} of {source} has {table.num_columns} columns; give three (head, relation, tail) or two (child, "
            "parent), parted by tabs."
        )
    columns = [table.column(number).combine_chunks() for number in range(table.num_columns)]
    header: list[str] = []
    if len(table) > 2 and not any(_recurs(column) for column in columns):
        header = [column[0].as_py() for column in columns]
        columns = [column[1:] for column in columns]
    if len(columns) == 2:
        relation = header[1] if header else "link"
        columns.insert(1, pa.array([relation] * len(columns[0]), pa.string()))
    return _Table(columns, header, wrong)


def _recurs(column: pa.Array) -> bool:
    """Whether what stands first stands there again."""
    return bool(pc.any(pc.equal(column[1:], column[0])).as_py())


def _numbered(names: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """The place of each name among the different ones in the order of the alphabet, and these."""
    coded = names.combine_chunks().dictionary_encode()
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    values = np.array(coded.dictionary.to_pylist(), dtype=object)
    order = np.argsort(values, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place[coded.indices.to_numpy(zero_copy_only=False)], values[order].tolist()


def _places(names: Sequence[str], vocabulary: Sequence[str]) -> np.ndarray:
    """Where each name stands in a vocabulary; −1: nowhere. One more stands at the end, for a name that was unknown before."""
    known = {name: place for place, name in enumerate(vocabulary)}
    return np.array([*(known.get(name, -1) for name in names), -1], np.int64)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def generated_groups(entities: int = 60, groups: int = 6, kept: float = 0.5, seed: int = 0) -> TripleSamples:
    """Entities of so many groups; relation r holds where the groups of both add up to r, modulo their number.

    Of these triples, which are symmetric, a share is kept, drawn by counter: four fifths to train on, a fifth to test.
    """
    group = np.arange(entities) % groups
    heads, tails = np.divmod(np.arange(entities**2), entities)
    relation = (group[heads] + group[tails]) % groups
    draws = counter.uniform(counter.key(seed, "groups"), np.arange(entities**2), 2)
    parts = [(draws[:, 0] < kept) & (draws[:, 1] >= 0.2), (draws[:, 0] < kept) & (draws[:, 1] < 0.2)]
    named = [(heads[part].astype(str), relation[part].astype(str), tails[part].astype(str)) for part in parts]
    return from_names(named, ["train", "test"], "generated groups")


def generated_tree(branches: int = 3, depth: int = 4) -> TripleSamples:
    """The links of every node of a whole tree to all its ancestors."""
    nodes = (branches ** (depth + 1) - 1) // (branches - 1)
    child, above = np.arange(1, nodes), (np.arange(1, nodes) - 1) // branches
    found = []
    while len(child):
        found.append((child.astype(str), np.full(len(child), "above"), above.astype(str)))
        child, above = child[above > 0], (above[above > 0] - 1) // branches
    columns = [np.concatenate(column) for column in zip(*found)]
    return from_names([columns], [""], "a generated tree")


def generated_grid(side: int = 8, seed: int = 0) -> TripleSamples:
    """Places on a square grid and the steps between them: a relation is a step; four fifths to train on, a fifth to test."""
    places = np.stack(np.divmod(np.arange(side**2), side), 1)
    found = []
    for name, step in {"right": (0, 1), "down": (1, 0), "over": (1, 1), "far right": (0, 2), "far down": (2, 0)}.items():
        to = places + step
        inside = (to < side).all(1)
        heads, tails = np.flatnonzero(inside), to[inside] @ np.array([side, 1])
        found.append((heads.astype(str), np.full(len(heads), name), tails.astype(str)))
    columns = [np.concatenate(column) for column in zip(*found)]
    tested = counter.uniform(counter.key(seed, "grid"), np.arange(len(columns[0])), 1)[:, 0] < 0.2
    return from_names([[column[part] for column in columns] for part in (~tested, tested)], ["train", "test"], "a grid")
