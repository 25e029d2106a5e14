"""Columns of a table as numbers and as codes, a block of rows at a time, and what is counted on the way.

A cell has at most two readings. As a number: float64, a date as seconds since 1970, NaN where it is neither. As a code: a
64-bit hash of what it says, 0 where it is missing. Equal numbers have equal codes however they are written ("1", "1.0", 1),
so that a file in which a column looks otherwise than in training is still understood.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import numba
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MISSING = ["", "?", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "nat", "<na>"]  # in small letters
NUMBER = r"^-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"  # "007" is none: it is a name
PADDED = r"^-?0[0-9]+$"
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?Z?$"
DISTINCT = 1024  # values of a column that are told apart by name; where there are more, only that
EXACT = 2.0**53  # from which float64 no longer tells whole numbers apart
SHOWN = 3  # cells that are named where some do not fit


class Block(NamedTuple):
    """A column of a block of rows."""

    numbers: np.ndarray  # float64, n; NaN: no number
    codes: np.ndarray | None  # int64, n; None where every cell is its number or missing
    texts: pa.Array | None  # what the cells say, where codes are


@dataclass
class Tally:
    """What was counted in a column."""

    name: str
    date: bool = False
    numeric: bool = False  # by the type that the file declares
    rows: int = 0
    missing: int = 0
    numbers: int = 0  # cells that are numbers, or dates in a column of dates
    low: float = np.inf
    high: float = -np.inf
    infinite: int = 0  # counted as missing
    huge: int = 0  # whole numbers that float64 does not tell apart
    padded: int = 0  # "007"
    others: list[str] = field(default_factory=list)  # a few of the cells that are no numbers
    values: Counter = field(default_factory=Counter)  # code -> cells, of the first DISTINCT values
    names: dict[int, str] = field(default_factory=dict)  # code -> what it says
    many: bool = False  # whether there are more values than that

    @property
    def given(self) -> int:
        return self.rows - self.missing

    @property
    def odd(self) -> int:
        """Cells that are neither missing nor numbers."""
        return self.given - self.numbers

    def count(self, block: Block) -> None:
        """Add a block of rows."""
        numbers, codes = block.numbers, code_of(block)
        known = ~np.isnan(numbers)
        self.rows += len(numbers)
        self.missing += int((codes == 0).sum())
        self.numbers += int(known.sum())
        self.low = float(np.min(numbers, where=known, initial=self.low))
        self.high = float(np.max(numbers, where=known, initial=self.high))
        if block.texts is not None and len(self.others) < SHOWN:
            odd = np.flatnonzero((codes != 0) & ~known)[:1000]
            found = dict.fromkeys([*self.others, *block.texts.take(pa.array(odd)).to_pylist()])
            self.others = list(found)[:SHOWN]
        if self.many:
            return
        values, first, counts = np.unique(codes, return_index=True, return_counts=True)
        fresh = [i for i, code in enumerate(values.tolist()) if code and code not in self.names]
        self.many = len(self.names) + len(fresh) > DISTINCT
        if self.many:
            return
        for i in fresh:  # over values, of which there are few
            row = int(first[i])
            said = None if block.texts is None else block.texts[row].as_py()
            self.names[int(values[i])] = _spelled(numbers[row]) if said is None else said
        self.values.update({int(code): int(count) for code, count in zip(values, counts) if code})


def readable(kind: pa.DataType) -> bool:
    """Whether cells of a type are numbers, dates, booleans or texts; lists, structs and bytes are not."""
    if pa.types.is_dictionary(kind):
        return readable(kind.value_type)
    return not (pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def is_date(kind: pa.DataType) -> bool:
    """Whether a type is of points in time."""
    return pa.types.is_date(kind) or pa.types.is_timestamp(kind)


def is_numeric(kind: pa.DataType) -> bool:
    """Whether cells of a type are numbers, and are kept as nothing else."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_duration(kind)


def read(column: pa.Array, tally: Tally) -> Block:
    """The cells of a block of rows; what they cannot show is added to `tally`."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_null(kind):
        return Block(np.full(len(column), np.nan), None, None)
    if is_date(kind):
        return Block(_seconds(column), None, None)
    if is_numeric(kind):
        if pa.types.is_duration(kind):
            column = pc.divide(column.cast(pa.duration("us")).cast(pa.int64()).cast(pa.float64()), 1e6)
        numbers = column.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy(zero_copy_only=False)
        return Block(_finite(numbers, tally, pa.types.is_integer(kind)), None, None)
    return _read_texts(column.cast(pa.string()), tally)


def code_of(block: Block) -> np.ndarray:
    """The codes of a block: its own, or those of its numbers."""
    return number_codes(block.numbers) if block.codes is None else block.codes


def number_codes(numbers: np.ndarray) -> np.ndarray:
    """The codes of numbers: int64, 0 of NaN."""
    return _number_codes(np.ascontiguousarray(numbers, np.float64).ravel()).reshape(numbers.shape)


def text_codes(texts: pa.Array) -> np.ndarray:
    """The codes of texts that are no numbers: int64; of a null one too, whose cell is missing."""
    if texts.type != pa.large_string():
        texts = texts.cast(pa.large_string())
    _, where, letters = texts.buffers()
    offsets = np.frombuffer(where, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return _text_codes(offsets, np.frombuffer(letters or b"\0", np.uint8))


def is_dates(texts: pa.Array) -> bool:
    """Whether texts are dates, but for a few."""
    texts = pc.utf8_trim_whitespace(texts)
    given = pc.invert(pc.is_in(pc.utf8_lower(texts), pa.array(MISSING))).fill_null(False)
    dates = pc.match_substring_regex(texts, DATE).fill_null(False)
    return 0 < pc.sum(dates).as_py() >= 0.95 * pc.sum(given).as_py()


def _read_texts(texts: pa.Array, tally: Tally) -> Block:
    texts = pc.utf8_trim_whitespace(texts)
    small = pc.utf8_lower(texts)
    truth = pc.is_in(small, pa.array(["true", "false"]))
    texts = pc.if_else(truth, small, texts)
    missing = pc.or_(pc.is_in(small, pa.array(MISSING)), pc.is_null(texts)).to_numpy(zero_copy_only=False)
    if tally.date:
        numbers = _dates(texts)
    else:
        alike = pc.match_substring_regex(texts, NUMBER).fill_null(False)
        tally.padded += pc.sum(pc.match_substring_regex(texts, PADDED)).as_py() or 0
        read = pc.if_else(alike, texts, None).cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
        numbers = np.where(np.isinf(read), np.nan, read)  # 1e999
        if tally.numbers or np.isfinite(numbers).any():
            tally.huge += int((np.abs(numbers) >= EXACT).sum())
    codes = np.where(np.isnan(numbers), text_codes(texts), number_codes(numbers))
    codes[missing] = 0
    return Block(numbers, codes, texts)


def _dates(texts: pa.Array) -> np.ndarray:
    alike = pc.match_substring_regex(texts, DATE).fill_null(False)
    plain = pc.if_else(alike, pc.utf8_rtrim(texts, characters="Z"), None)
    try:
        return _seconds(plain.cast(pa.timestamp("us")))
    except pa.ArrowInvalid:  # a day that is in no calendar: one by one, as few as they are
        return np.array([_one_date(text) for text in plain.to_pylist()])


def _one_date(text: str | None) -> float:
    try:
        return np.nan if text is None else float(np.datetime64(text.replace(" ", "T"), "us").astype(np.int64)) / 1e6
    except ValueError:
        return np.nan


def _seconds(column: pa.Array) -> np.ndarray:
    """Points in time as seconds since 1970, in UTC where the file names a zone."""
    whole = column.cast(pa.timestamp("us", tz=getattr(column.type, "tz", None)), safe=False)
    known = pc.is_valid(column).to_numpy(zero_copy_only=False)
    return np.where(known, whole.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False) / 1e6, np.nan)


def _finite(numbers: np.ndarray, tally: Tally, whole: bool) -> np.ndarray:
    infinite = np.isinf(numbers)
    tally.infinite += int(infinite.sum())
    if whole:
        tally.huge += int((np.abs(numbers) >= EXACT).sum())
    return np.where(infinite, np.nan, numbers)


def _spelled(number: float) -> str:
    return str(int(number)) if number == int(number) and abs(number) < EXACT else f"{number:.12g}"


@numba.njit(cache=True, nogil=True)
def _mixed(bits):
    """SplitMix64's finaliser (Steele, Lea, Flood 2014), never 0."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits if bits != np.uint64(0) else np.uint64(1)


@numba.njit(cache=True, nogil=True)
def _number_codes(numbers):
    out = np.zeros(len(numbers), np.int64)
    bits = (numbers + 0.0).view(np.uint64)  # −0 becomes 0
    for i in range(len(numbers)):
        if numbers[i] == numbers[i]:
            out[i] = np.int64(_mixed(bits[i] ^ np.uint64(0x9E3779B97F4A7C15)))
    return out


@numba.njit(cache=True, nogil=True)
def _text_codes(offsets, letters):
    """FNV-1a of 64 bits (Fowler, Noll, Vo), mixed once more."""
    out = np.empty(len(offsets) - 1, np.int64)
    for i in range(len(out)):
        bits = np.uint64(14695981039346656037)
        for at in range(offsets[i], offsets[i + 1]):
            bits = (bits ^ np.uint64(letters[at])) * np.uint64(1099511628211)
        out[i] = np.int64(_mixed(bits))
    return out
