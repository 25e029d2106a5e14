"""A table as the page shows it: its map, what colours it, its rows, and what is near to what."""

import base64
import json
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import tacit
from tacit.embeddings.places import Address
from tacit.embeddings.read import Table, open_table
from tacit.embeddings.rows import vectors_of
from tacit.embeddings.search import Hit, Written
from tacit.errors import TacitError
from tacit.explorer.columns import Column, columns_of, own_columns
from tacit.explorer.layout import layout

HELD = 1 << 31  # bytes of vectors that are kept in memory, so that a click is answered at once
MOST_ROWS = 200  # that are told of at once
PICTURES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}
FILES = {  # by the kind of data, the endings of files that hold one sample
    "image": (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm"),
    "audio": (".wav", ".flac", ".ogg", ".mp3"),
    "video": (".mp4", ".avi", ".webm", ".mkv", ".mov"),
    "cloud": (".ply", ".off", ".xyz"),
    "text": (".txt",),  # all of it is one text
    "table": (".csv", ".tsv"),  # a line of names and one row
    "series": (".npy", ".csv", ".tsv", ".ts"),
    "vector": (".npy",),
}
FILES["pair"] = FILES["image"]


class Shown:
    """One table: opened once, and shown as it was then."""

    def __init__(
        self,
        path: str | Path | Address | Table,
        *,
        columns: Sequence[str | Path] = (),
        run: str | Path | None = None,
        seed: int = 0,
        device: str = "auto",
        told: Callable[[str], None],
    ):
        self.table = path if isinstance(path, Table) else open_table(path)
        self.mark = self.table.mark
        self.points = layout(self.table, seed=seed, told=told).points
        self.ids: pa.Array
        self.columns: list[Column]
        self.ids, self.columns = own_columns(self.table)
        for file in columns:
            self.columns += columns_of(file, self.ids, self.table.path)
        self.run = Path(self.table.provenance.run if run is None else run)
        self.device, self.told = device, told
        self._opened: tacit.Run | None = None
        self._lock = threading.Lock()
        self._again = partial(Shown, columns=columns, run=run, seed=seed, device=device, told=told)

    def now(self) -> "Shown":
        """Itself while the table is what is shown; else the table as it is now, with a map of its own."""
        return self._again(self.table.path) if self.changed() else self

    @property
    def name(self) -> str:
        """What the table is called, without its folder."""
        return self.table.path.name

    def about(self) -> dict[str, Any]:
        """What the page has to know before it draws."""
        made = self.table.provenance
        able = (self.run / "run.yaml").is_file()
        return {
            "name": self.name,
            "rows": len(self.table),
            "kind": made.kind,
            "similarity": made.similarity,
            "dim": made.dim,
            "mark": self.mark,
            "run": Path(made.run).name,
            "words": able and made.kind in ("text", "pair"),
            "files": list(FILES.get(made.kind, ())) if able else [],
            "why": "" if able else f"The run that made this table is not at {self.run}; --run says where it lies now.",
            "columns": [{"title": column.title, "names": column.names} for column in self.columns],
        }

    def rows(self, positions: Sequence[int]) -> list[dict[str, Any]]:
        """What is known of each of these rows, with its picture."""
        if len(positions) > MOST_ROWS or any(not 0 <= row < len(self.table) for row in positions):
            raise TacitError(f"Rows 0 to {len(self.table) - 1} can be asked for, {MOST_ROWS} at a time.")
        if not positions:
            return []
        shown = [name for name in ("text", "cells") if name in self.table.lance.schema.names]
        found = self.table.at(np.array(positions), ("id", "path", "thumbnail", *shown)).to_pylist()
        return [
            {
                "row": row,
                "id": one["id"],
                "path": one["path"],
                "text": one.get("text"),
                "cells": list(json.loads(one.get("cells") or "{}").items()),
                "picture": _picture(one["thumbnail"]),
                "known": [[column.title, column.said(row)] for column in self.columns],
            }
            for row, one in zip(positions, found)
        ]

    def row_of(self, id: str) -> int:
        """The row of an id; one that is not there is a TacitError naming the nearest."""
        found = pc.index(self.ids, pa.scalar(id, pa.string())).as_py()
        if found < 0:
            raise TacitError(f"There is no id {id!r} in {self.name}; the nearest is {self.table.nearest_id(id)!r}.")
        return found

    def near_row(self, row: int, top: int) -> list[dict[str, Any]]:
        """The rows nearest to a row, itself left out."""
        if not 0 <= row < len(self.table):
            raise TacitError(f"There is no row {row}; there are {len(self.table)}.")
        hits = self._search(vectors_of(self.table.at(np.array([row]), ("vector",)))[0], top + 1)
        return [hit for hit in self._placed(hits) if hit["row"] != row][:top]

    def near_words(self, words: str, top: int) -> list[dict[str, Any]]:
        """The rows nearest to words, where the encoder reads some."""
        if not self.about()["words"]:
            raise TacitError(f"{self.name} cannot be searched in words: it holds {self.table.provenance.kind}; give an id.")
        return self._placed(self._search(Written(words), top, self._encoder()))

    def check_ending(self, ending: str) -> None:
        """Refuse what is not the ending of a file that can be searched with: others could name files of their own."""
        about = self.about()
        if ending not in about["files"]:
            known = ", ".join(about["files"])
            raise TacitError(
                f"{self.name} cannot be searched with a file that ends in {ending[:20]!r}; "
                + (f"give one of {known}." if known else about["why"] or "give an id.")
            )

    def near_file(self, file: Path, top: int) -> list[dict[str, Any]]:
        """The rows nearest to what lies in a file, whose ending was checked."""
        kind = self.table.provenance.kind
        if kind == "text":
            try:
                return self.near_words(file.read_text(encoding="utf-8"), top)
            except UnicodeDecodeError:
                raise TacitError(f"{file.name} is no text in UTF-8; save it as such.") from None
        sample = tacit.open(file, "image" if kind == "pair" else kind)
        return self._placed(self._search(sample, top, self._encoder()))

    def changed(self) -> bool:
        """Whether the table is no longer the one that is shown."""
        try:
            return open_table(self.table.path).mark != self.mark
        except TacitError:
            return True

    def _search(self, query: Any, top: int, run: "tacit.Run | None" = None) -> list[Hit]:
        with self._lock:
            if 4 * len(self.table) * self.table.provenance.dim <= HELD:
                self.table.hold()
        return tacit.search(self.table, query, top=top, exact=self.table.held is not None, run=run, told=self.told)

    def _encoder(self) -> "tacit.Run":
        with self._lock:
            if self._opened is None:
                self._opened = tacit.Run(self.run, self.device)
            return self._opened

    def _placed(self, hits: Sequence[Hit]) -> list[dict[str, Any]]:
        """Hits by their rows."""
        which = pc.index_in(self.ids, value_set=pa.array([hit.id for hit in hits], pa.string()))
        rows = np.flatnonzero(pc.is_valid(which).to_numpy(zero_copy_only=False))
        found = dict(zip(which.take(pa.array(rows)).to_pylist(), rows.tolist()))
        return [{"row": found[place], "score": hit.score} for place, hit in enumerate(hits)]


def matched(first: Shown, second: Shown) -> np.ndarray:
    """For each row of the second table the row of the first with the same id, −1 where there is none: int32."""
    found = pc.fill_null(pc.index_in(second.ids, value_set=first.ids), -1).to_numpy(zero_copy_only=False).astype(np.int32)
    if (found < 0).all():
        raise TacitError(
            f"{first.name} and {second.name} have no id in common; beside one another stand tables of the same samples."
        )
    return found


def _picture(thumbnail: bytes | None) -> str | None:
    """A thumbnail as an address that holds it; None for what is no PNG or JPEG."""
    kind = next((kind for mark, kind in PICTURES.items() if thumbnail and thumbnail.startswith(mark)), None)
    return None if kind is None or thumbnail is None else f"data:{kind};base64,{base64.b64encode(thumbnail).decode()}"
