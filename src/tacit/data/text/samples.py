"""Texts in memory, read as the numbers of their tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from tacit.data.samples import Samples
from tacit.data.selecting import selected
from tacit.data.text.models import of_model
from tacit.data.text.tokenizer import KEPT, Tokenizer, tokenizer, trained
from tacit.numerics import counter

LEARNED = 200_000  # texts at most, drawn by counter, on which a tokenizer is trained
SHOWN = 200  # letters of a text that are shown
TOGETHER = 4096  # texts tokenised together
CUT = 0.95  # the share of texts that a view holds whole


class Texts(NamedTuple):
    """Texts as tokens, one after another."""

    tokens: Tensor  # int64, all tokens of all texts
    offsets: Tensor  # int64, n + 1: text i is tokens[offsets[i]:offsets[i + 1]]


class Alike(NamedTuple):
    """Pairs of texts that people scored by how alike they are in meaning; m of them, rows of the source."""

    first: np.ndarray  # int64
    second: np.ndarray  # int64
    score: np.ndarray  # float64
    splits: np.ndarray | None


class Wanted(NamedTuple):
    """Queries and the documents that people found relevant to them, rows of the source."""

    documents: np.ndarray  # int64
    queries: np.ndarray  # int64
    relevant: np.ndarray  # int64, judgements × 3: row of the query, row of the document, grade (0: looked at, not relevant)


class Tokenised:
    """The tokens of a source's texts by one tokenizer, each text's made when it is first asked for and kept."""

    def __init__(self, texts: pa.ChunkedArray, by: Tokenizer):
        self.texts, self.by = texts, by
        self.known: list[np.ndarray | None] = [None] * len(texts)

    def of(self, rows: np.ndarray) -> list[np.ndarray]:
        """int32 each."""
        if new := [row for row in np.unique(rows).tolist() if self.known[row] is None]:
            for row, tokens in zip(new, self.by.tokens(self.texts.take(pa.array(new)).to_pylist())):
                self.known[row] = tokens
        return [self.known[row] for row in rows.tolist()]  # type: ignore[misc]


@dataclass(eq=False, repr=False)
class TextSamples(Samples):
    """Texts, read as tokens: of the tokenizer that belongs to a run (`fitted`), else of one trained on these texts.

    `task` says by what else than labels a source can be judged.
    """

    source: str
    texts: pa.ChunkedArray  # large_string, of the whole source
    rows: np.ndarray  # int64: the row of each sample in `texts`
    ids: Sequence[str]
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    wrong: Mapping[int, str] = field(default_factory=dict)  # by row: why a text cannot be read
    paths: Sequence[str] | None = None  # of the file that each row lies in, where it lies in one of its own
    ignored: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    task: Alike | Wanted | None = None
    model: Mapping[str, Any] = field(default_factory=dict)  # the tokenizer of a model, and what else is known of that
    tokenised: Tokenised | None = None
    kind = "text"

    def read(self, index: np.ndarray) -> tuple[Texts, dict[int, str]]:
        positions = np.asarray(index, np.int64)
        bad = {int(i): self.wrong[int(self.rows[i])] for i in positions if int(self.rows[i]) in self.wrong}
        good = np.array([i for i in positions.tolist() if i not in bad], np.int64)
        found = self._tokenised.of(self.rows[good])
        empty = [len(tokens) == 0 for tokens in found]
        if any(empty):
            bad |= {int(i): "none of it is text" for i, nothing in zip(good, empty) if nothing}
            found = [tokens for tokens, nothing in zip(found, empty) if not nothing]
        offsets = np.concatenate([[0], np.cumsum([len(tokens) for tokens in found])]).astype(np.int64)
        flat = np.concatenate([np.empty(0, np.int64), *found]).astype(np.int64)
        return Texts(torch.from_numpy(flat), torch.from_numpy(offsets)), bad

    def take(self, index: np.ndarray) -> "TextSamples":
        return replace(self, rows=self.rows[index], **selected(self, index))

    def facts(self) -> dict[str, Any]:
        """The tokenizer, as JSON in one string: a list of its pieces would be read from `run.yaml` in seconds."""
        own = dict(self.model) or {"tokenizer": self._learned}
        return {"kind": self.kind, "shape": [0], "vocabulary": len(tokenizer(own["tokenizer"])), **own}

    def statistics(self) -> dict[str, Any]:
        """In how many texts each token occurs (numbers between spaces, for the same reason), and how long texts are."""
        counts = np.zeros(len(self._tokenised.by), np.int64)
        lengths = []
        rows = np.array([row for row in self.rows.tolist() if row not in self.wrong], np.int64)
        for start in range(0, len(rows), TOGETHER):
            found = self._tokenised.of(rows[start : start + TOGETHER])
            np.add.at(counts, np.concatenate([np.unique(tokens) for tokens in found]), 1)
            lengths += [len(tokens) for tokens in found]
        long = int(np.quantile(lengths, CUT, method="higher"))
        return {"seen": " ".join(map(str, counts.tolist())), "texts": len(rows), "long": long}

    def fitted(self, facts: Mapping[str, Any]) -> "TextSamples":
        """The same texts in the tokens of `facts`."""
        there = self.tokenised
        if there is not None and there.by.written == facts["tokenizer"]:
            return self
        return replace(self, tokenised=Tokenised(self.texts, tokenizer(facts["tokenizer"])))

    def suits(self, facts: Mapping[str, Any]) -> bool:
        return self._tokenised.by.written == facts.get("tokenizer")

    def of_model(self, name: str) -> "TextSamples":
        """The same texts in the tokens of a model of `transformers`, a folder or a name: for the encoder `transformers`."""
        return replace(self, model=of_model(name), tokenised=None)

    def path(self, position: int) -> str | None:
        return None if self.paths is None else self.paths[int(self.rows[position])]

    def said(self, index: Sequence[int] | np.ndarray, letters: int = SHOWN) -> list[str]:
        """The texts themselves, of long ones the beginning."""
        found = self.texts.take(pa.array(self.rows[np.asarray(index, np.int64)])).to_pylist()
        return [text if len(text) <= letters else f"{text[: letters - 1]}…" for text in found]

    def look(self, drawn: np.ndarray, most: int) -> dict[str, Any]:
        """What `tacit inspect` shows, in the fields of `data.inspecting`."""
        chosen = np.sort(drawn[:most])
        trouble = {i: self.wrong[row] for i, row in enumerate(self.rows.tolist()) if row in self.wrong}
        whole = [i for i in chosen.tolist() if i not in trouble]
        texts = self.texts.take(pa.array(self.rows[np.array(whole, np.int64)])).to_pylist()
        notes = dict(self.notes)
        if whole:
            lengths = np.diff(self.read(np.array(whole))[0].offsets.numpy())
            notes["tokens"] = f"of a text {int(np.median(lengths))} (median), at most {int(lengths.max())}"
            notes["tokens"] += f"; the first {KEPT} are read" if lengths.max() >= KEPT else ""
            notes["vocabulary"] = str(self._tokenised.by) + (" of the model" if self.model else " learned from these texts")
            notes["for example"] = texts[len(texts) // 2][:100]
        return {
            "sizes": np.empty((0, 1)),
            "modes": {},
            "formats": {},
            "bytes": self.texts.nbytes,
            "looked_at": len(self),
            "decoded": len(whole),
            "trouble": trouble,
            "duplicates": len(texts) - len({sha256(text.encode()).digest() for text in texts}),
            "ignored": self.ignored,
            "notes": notes,
        }

    @property
    def _tokenised(self) -> Tokenised:
        if self.tokenised is None:
            self.tokenised = Tokenised(self.texts, tokenizer(self.facts()["tokenizer"]))
        return self.tokenised

    @cached_property
    def _learned(self) -> str:
        """A tokenizer of these texts: of at most LEARNED of them."""
        good = np.array([row for row in self.rows.tolist() if row not in self.wrong], np.int64)
        if len(good) > LEARNED:
            good = good[np.sort(counter.permutation(counter.key("tokenizer"), len(good))[:LEARNED])]
        return trained(self.texts.take(pa.array(good)).to_pylist())
