"""What holds texts is told by looking into a file or a folder; how its texts, labels, splits and judgements are found."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from tacit.data.folders import SPLITS, holds, scan, walk
from tacit.data.image_lists import LABELS, SPLIT, row_ids
from tacit.data.labels import numbered, told_apart
from tacit.data.saved_sets import is_saved, saved_tables
from tacit.data.text.described import described
from tacit.data.text.files import (
    LINES,
    LISTS,
    LOOKED_AT,
    Columns,
    class_names,
    content,
    decoded,
    form,
    head,
    lines,
    of_table,
    rows,
)
from tacit.data.text.samples import Alike, TextSamples, Wanted
from tacit.errors import TacitError

TEXTS = ("text", "sentence", "document", "content", "review", "body")  # of a column, the first that is there
FIRST, SECOND = ("sentence1", "text1", "sentence_a", "premise"), ("sentence2", "text2", "sentence_b", "hypothesis")
SCORES = ("score", "similarity", "similarity_score", "relatedness_score", "label")
IDS = ("id", "_id", "idx", "index", "guid")
PROSE = 4  # words of the middle cell of a column of texts, at least
FEW = 8  # files of a folder, up to which each line of them is a text, and above which each file is one
PARTS = {**SPLITS, "dev": "val"}
CORPUS, QUERIES = "corpus.jsonl", "queries.jsonl"
JUDGED = ("qrels.tsv", "qrels/test.tsv")


class Role(NamedTuple):
    """Which columns of a list hold what."""

    text: str = ""
    first: str = ""  # of pairs with a score
    second: str = ""
    score: str = ""


def open_texts(path: Path, source: str, kind: str | None) -> TextSamples | None:
    """The texts of a file or a folder; None where it holds none, or the user says that it holds something else."""
    told = kind == "text"
    if kind is not None and not told:
        return None
    if path.is_dir():
        return _folder(path, source, told)
    if form(path) in LINES:
        return _lines([path], source)
    if form(path) in (".yaml", ".yml"):
        return _described(path, source)
    if form(path) in LISTS and (role := _role(head(path), told or form(path) in (".jsonl", ".ndjson"))) is not None:
        return _lists([path], [role], source)
    return None


def from_strings(texts: Sequence[str], source: str = "the texts") -> TextSamples:
    """Texts in memory."""
    return _samples(source, Columns({"text": list(texts)}), "text", [f"{row:05d}" for row in range(len(texts))])


def from_datasets(data: Any) -> TextSamples | None:
    """The texts of a Dataset or DatasetDict of the library `datasets`; None where no column is prose."""
    parts = data if isinstance(data, dict) else {"": data}
    tables = [part.with_format("arrow")[:] for part in parts.values()]
    marks = [PARTS.get(name, name) for name in parts] if len(parts) > 1 else None
    about = {name: {"names": f.names} for name, f in next(iter(parts.values())).features.items() if hasattr(f, "names")}
    return from_tables(tables, marks, about, "the dataset")


def from_tables(
    tables: Sequence[pa.Table], marks: Sequence[str] | None, features: Mapping[str, Any], source: str
) -> TextSamples | None:
    """The texts of tables that the library `datasets` holds or saved, each in one split if `marks` names them; None where no
    column is prose."""
    role = _role(of_table(tables[0].slice(0, LOOKED_AT)), False)
    if role is None:
        return None
    read = [of_table(table) for table in tables]
    read[0].named = class_names({"features": features})
    splits = None if marks is None else np.repeat(marks, [len(part) for part in read])
    return _of_columns(read, [role], None, source, splits)


def _folder(path: Path, source: str, told: bool) -> TextSamples | None:
    if (path / CORPUS).is_file() and (path / QUERIES).is_file():
        return _judged(path, source)
    if is_saved(path):
        tables, marks, features = saved_tables(path, source)
        return from_tables(tables, marks, features, source)
    if not told and holds(path):
        return None
    found = sorted(path / (prefix + name) for prefix, names in walk(path) for name in names if not name.startswith("."))
    listed = [file for file in found if form(file) in LISTS]
    plain = [file for file in found if form(file) in LINES]
    if listed and len({form(file) for file in listed}) == 1 and (told or not plain):
        jsonl = form(listed[0]) in (".jsonl", ".ndjson")
        roles = [_role(head(file), told or jsonl) for file in listed]
        if all(role is not None for role in roles):
            return _lists(listed, [role for role in roles if role is not None], source)
        return None
    if plain and (told or len(plain) > len(found) // 2):
        nested = any(len(file.relative_to(path).parts) > 1 for file in plain)
        if any(file.suffix.lower() == ".gz" for file in plain) or (len(plain) <= FEW and not nested):
            return _lines(plain, source)
        return _documents(path, source)
    return None


def _lines(files: Sequence[Path], source: str) -> TextSamples:
    """A text on each line; ids are the numbers of the lines, after the file's name where there are several."""
    marks = _splits(files)
    read = [lines(content(file)) for file in files]
    several = len(files) > 1
    ids = [
        f"{file.name}/{number:05d}" if several else f"{number:05d}"
        for file, part in zip(files, read)
        for number in part.numbers or []
    ]
    joined = _joined(read)
    splits = None if marks is None else np.repeat(marks, [len(part) for part in read])
    samples = _samples(source, joined, "text", ids, splits)
    samples.notes = {"texts": f"one per line of {_named(files)}", **samples.notes}
    return samples


def _documents(path: Path, source: str) -> TextSamples:
    """A text in each file, in class folders or splits as images may lie."""
    ids, labels, classes, splits, ignored = scan(path, LINES, "text")
    read = [decoded(content(path / name).removeprefix(b"\xef\xbb\xbf").strip()) for name in ids]
    columns = Columns({"text": [text for text, _ in read]}, {row: why for row, (_, why) in enumerate(read) if why})
    samples = _samples(source, columns, "text", ids, splits)
    samples.labels, samples.classes, samples.ignored = labels, classes, ignored
    samples.paths = [str(path / name) for name in ids]
    samples.notes = {"texts": "one per file", **samples.notes}
    return samples


def _lists(files: Sequence[Path], roles: Sequence[Role], source: str) -> TextSamples:
    """The rows of lists; several files are splits by their names, or parts one after another."""
    marks = _splits(files)
    read = [rows(file) for file in files]
    for file, part in zip(files, read):
        if lacking := {*filter(None, roles[0])} - {*part.values}:
            there = ", ".join(part.values)
            raise TacitError(f"{file} has the columns {there} and no {', '.join(sorted(lacking))}; name one that is there.")
    names = [""] if len(files) == 1 else [file.name.partition(".")[0] for file in files] if marks is None else marks
    splits = None if marks is None else np.repeat(marks, [len(part) for part in read])
    samples = _of_columns(read, roles, names, source, splits)
    about = f"column {roles[0].text!r}" if roles[0].text else f"columns {roles[0].first!r} and {roles[0].second!r}"
    samples.notes = {"texts": f"{about} of {_named(files)}", **samples.notes}
    return samples


def _of_columns(
    read: Sequence[Columns], roles: Sequence[Role], names: Sequence[str] | None, source: str, splits: np.ndarray | None
) -> TextSamples:
    """The rows of lists one after another; `names` are what the ids of each begin with, by default the split."""
    if len({*roles}) > 1:
        raise TacitError(f"The files of {source} differ in their columns; give them one by one.")
    role, joined = roles[0], _joined(read)
    if names is None:
        ids = row_ids(len(joined), splits)
    else:
        ids = [f"{name}/{row:05d}" if name else f"{row:05d}" for name, part in zip(names, read) for row in range(len(part))]
    if role.score:
        return _scored(joined, role, ids, source, splits)
    label, split = (next((c for n in known for c in joined.values if c.lower() == n), "") for known in (LABELS, SPLIT))
    if splits is None and split and all((cell or "").lower() in PARTS for cell in joined.values[split]):
        splits = np.array([PARTS[(cell or "").lower()] for cell in joined.values[split]])
    samples = _samples(source, joined, role.text, ids, splits)
    if label and label != role.text:
        values = told_apart([cell or "" for cell in joined.values[label]])
        samples.labels, samples.classes = numbered(values, source, joined.named.get(label))
        samples.notes = {"labels": f"column {label!r}"}
    return samples


def _scored(read: Columns, role: Role, ids: list[str], source: str, splits: np.ndarray | None) -> TextSamples:
    """Pairs of sentences with a score: a sample for each sentence."""
    n = len(read)
    score = np.full(n, np.nan)
    for row, cell in enumerate(read.values[role.score]):
        try:
            score[row] = float(cell or "")
        except ValueError:
            read.wrong.setdefault(row, f"its score is {cell!r} and no number")
    both = [text for pair in zip(read.values[role.first], read.values[role.second]) for text in pair]
    columns = Columns({"text": both}, {2 * row + side: why for row, why in read.wrong.items() for side in (0, 1)})
    each = [f"{name}/{side}" for name in ids for side in (1, 2)]
    samples = _samples(source, columns, "text", each, None if splits is None else np.repeat(splits, 2))
    good = np.array([row for row in range(n) if not {2 * row, 2 * row + 1} & {*samples.wrong}], np.int64)
    samples.task = Alike(2 * good, 2 * good + 1, score[good], None if splits is None else splits[good])
    samples.notes = {"pairs": f"{n:,}, scored by {role.score!r}", **samples.notes}
    return samples


def _judged(path: Path, source: str) -> TextSamples:
    """Documents and queries with judgements, as BEIR lays them out; documents are the train split, queries the test split."""
    parts = [rows(path / name) for name in (CORPUS, QUERIES)]
    names: list[list[str]] = []
    for part, file in zip(parts, (CORPUS, QUERIES)):
        if "_id" not in part.values or "text" not in part.values:
            raise TacitError(f"{path / file} lacks _id or text; give each line both.")
        names.append([str(name) for name in part.values["_id"]])
        title = part.values.get("title", [None] * len(part))
        for row, (head_line, text) in enumerate(zip(title, part.values["text"])):
            if head_line and text is not None and not text.startswith(head_line):
                part.values["text"][row] = f"{head_line} {text}"
    documents, queries = ({name: row for row, name in enumerate(part)} for part in names)
    judged = next((path / name for name in JUDGED if (path / name).is_file()), None)
    if judged is None:
        raise TacitError(f"{source} holds documents and queries and no judgements; add qrels.tsv (query-id, corpus-id, score).")
    n, found, strange = len(names[0]), [], 0
    for query, document, grade in zip(*list(rows(judged).values.values())[:3]):
        if query in queries and document in documents:
            found.append((n + queries[query], documents[document], int(float(grade or 0))))
        else:
            strange += 1
    if not found:
        raise TacitError(f"{judged} names no query and document of {source}; its columns are query-id, corpus-id and score.")
    splits = np.repeat(["train", "test"], [n, len(names[1])])
    ids = [*names[0], *(f"query/{name}" for name in names[1])]
    samples = _samples(source, _joined(parts, ("text",)), "text", ids, splits)
    samples.task = Wanted(np.arange(n), n + np.arange(len(names[1])), np.array(found, np.int64))
    samples.notes = {
        "queries": f"{len(names[1]):,} of {len(ids):,} texts, with {len(found):,} judgements"
        + (f"; {strange:,} of texts that are not there are left out" if strange else ""),
        **samples.notes,
    }
    return samples


def _described(path: Path, source: str) -> TextSamples | None:
    """What a .yaml with `text` says of texts."""
    found = described(path)
    if found is None:
        return None
    place = found.place
    opened = _lists([place], [Role(found.column)], source) if found.column else open_texts(place, source, "text")
    if opened is None:
        raise TacitError(f"{path} describes {place}, which holds no texts; give lines, a list or a folder of .txt files.")
    opened.model = found.model
    return opened


def _samples(source: str, read: Columns, column: str, ids: Sequence[str], splits: np.ndarray | None = None) -> TextSamples:
    texts, wrong = read.values[column], dict(read.wrong)
    for row, text in enumerate(texts):
        if row not in wrong and (text is None or not text.strip()):
            wrong[row] = "its text is empty"
    for row in wrong:
        texts[row] = None
    if len(wrong) == len(texts):
        first = next(iter(wrong.items()), None)
        why = f" ({ids[first[0]]}: {first[1]})" if first else ""
        raise TacitError(f"{source} holds no text that can be read{why}; give one text per line, row or file.")
    values = pa.chunked_array([pa.array(texts, pa.large_string())])
    ignored = {"lines without a letter": read.empty} if read.empty else {}
    return TextSamples(source, values, np.arange(len(texts)), list(ids), splits=splits, wrong=wrong, ignored=ignored)


def _joined(parts: Sequence[Columns], names: Sequence[str] = ()) -> Columns:
    """Rows of several files one after another."""
    names = names or list(parts[0].values)
    values = {name: [cell for part in parts for cell in part.values.get(name, [None] * len(part))] for name in names}
    wrong: dict[int, str] = {}
    start = 0
    for part in parts:
        wrong |= {start + row: why for row, why in part.wrong.items()}
        start += len(part)
    return Columns(values, wrong, None, sum(part.empty for part in parts), parts[0].named)


def _role(found: Columns | None, told: bool) -> Role | None:
    """Which column is to be read, from the first rows; None where none is prose, unless `told` that one must be."""
    if found is None or not len(found) or (found.pictures and not told):
        return None
    lower = {name.lower(): name for name in found.values}
    first, second, score = (next((lower[name] for name in known if name in lower), "") for known in (FIRST, SECOND, SCORES))
    if first and second and score:
        return Role("", first, second, score)
    prose = [name for name, cells in found.values.items() if _is_prose(cells)]
    known = [lower[name] for name in TEXTS if name in lower and (told or lower[name] in prose)]
    if known[:1] and (told or known[0].lower() in TEXTS[:3]):
        return Role(known[0])
    aside = {*LABELS, *SPLIT, *IDS, "label_name", "fine_label"}
    others = [name for name in found.values if name not in prose and name.lower() not in aside]
    if len(prose) == 1 and (told or not others):
        return Role(prose[0])
    if told:
        return Role((known or prose or list(found.values))[0])
    return None


def _is_prose(cells: Sequence[str | None]) -> bool:
    """Whether the middle cell has several words, and most cells differ."""
    given = [cell for cell in cells if cell]
    if not given or len({*given}) <= len(given) / 2:
        return False
    return bool(np.median([len(cell.split()) for cell in given]) >= PROSE)


def marks_of(files: Sequence[Path]) -> list[str] | None:
    """The split that each file is named for; None unless all are."""
    marks = [PARTS.get(file.name.lower().partition(".")[0].partition("-")[0], "") for file in files]
    return marks if len(files) > 1 and all(marks) else None


def _splits(files: Sequence[Path]) -> list[str] | None:
    """The same; None unless there are several."""
    marks = marks_of(files)
    return marks if marks and len({*marks}) > 1 else None


def _named(files: Sequence[Path]) -> str:
    return files[0].name if len(files) == 1 else f"{len(files)} files ({files[0].name}, …)"
