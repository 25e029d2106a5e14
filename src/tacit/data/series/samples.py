"""Time series of one or several channels, as they were measured: unequal lengths and missing values included."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, NamedTuple
from warnings import warn

import numpy as np
import torch
from torch import Tensor

from tacit.data.samples import Samples
from tacit.data.selecting import selected
from tacit.errors import TacitError

WINDOW, EVERY = 128, 8  # values of a window, and between the beginnings of two, where nothing else is asked for
FEWEST_WINDOWS = 8  # that a series must be as long as to be cut
PARTS = (("train", 0.6), ("val", 0.8), ("test", 1.0))  # of a long series that declares none: where each ends, by time
ROWS = 1 << 16  # moments looked at together
NAMED = 8  # channels that are named


class Series(NamedTuple):
    """Series as they lie there: NaN where a value is missing, zeros behind the end of each."""

    values: Tensor  # float32, n × channels × length of the longest
    lengths: Tensor  # int64, n


class Part(NamedTuple):
    """A stretch of a long series: from `begin` to before `end`."""

    name: str
    begin: int
    end: int


@dataclass(frozen=True, eq=False)
class Long:
    """What is known of one series that is seen through windows.

    parts    stretches that no window crosses
    window   values of a window; `every` so many a new one begins
    anomaly  bool, one per moment: what is unusual, where the source says so
    """

    parts: tuple[Part, ...]
    window: int
    every: int
    anomaly: np.ndarray | None = None

    def starts(self, every: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Where windows begin, int64, and the part that each lies in."""
        found = [np.arange(part.begin, part.end - self.window + 1, every or self.every) for part in self.parts]
        names = np.repeat([part.name for part in self.parts], [len(starts) for starts in found])
        return np.concatenate([*found, np.arange(0)]).astype(np.int64), names


@dataclass(eq=False, repr=False)
class SeriesSamples(Samples):
    """Stretches of an array of moments × channels: series one after another, or windows of one that may overlap.

    A series that holds infinity, whose values are all the same, or that has no value of one of its channels cannot be read;
    of windows those that hold nothing at all are left out when the series is cut.
    """

    source: str
    values: np.ndarray  # real numbers, moments × channels; may lie on disk
    starts: np.ndarray  # int64: the first moment of each sample
    lengths: np.ndarray  # int64
    ids: list[str]
    names: tuple[str, ...]  # of the channels
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    long: Long | None = None  # where samples are windows
    gaps: bool = False  # whether values are missing somewhere, or lengths unequal: of the whole source
    notes: Mapping[str, str] = field(default_factory=dict)
    ignored: Mapping[str, int] = field(default_factory=dict)
    kind = "series"

    @classmethod
    def of(
        cls,
        source: str,
        values: np.ndarray,
        lengths: np.ndarray,
        ids: Sequence[str],
        names: Sequence[str] = (),
        notes: Mapping[str, str] | None = None,
        **rest: Any,
    ) -> "SeriesSamples":
        """Series that lie one after another in `values`; a channel without any value is left out of all of them."""
        if not len(lengths) or not values.size:
            raise TacitError(f"{source} holds no values; give at least one series.")
        names = tuple(names) or tuple(f"channel {number + 1}" for number in range(values.shape[1]))
        missing = np.zeros(values.shape[1], np.int64)
        for block in _blocks(values):
            missing += np.isnan(block).sum(0)
        empty = missing == len(values)
        if empty.all():
            raise TacitError(f"{source} holds nothing but missing values; give a file with some.")
        ignored = {f"channel {name} (no value at all)": len(lengths) for name, gone in zip(names, empty) if gone}
        told = dict(notes or {})
        if empty.any():
            values, names = values[:, ~empty], tuple(name for name, gone in zip(names, empty) if not gone)
        if some := int(missing[~empty].sum()):
            told["missing"] = f"{some:,} of {len(values) * len(names):,} values ({some / (len(values) * len(names)):.1%})"
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
        gaps = some > 0 or len(set(lengths.tolist())) > 1
        lengths = np.asarray(lengths, np.int64)
        return cls(source, values, starts, lengths, list(ids), names, **rest, gaps=gaps, notes=told, ignored=ignored)

    def read(self, index: np.ndarray) -> tuple[Series, dict[int, str]]:
        positions = np.asarray(index, np.int64)
        lengths = self.lengths[positions]
        place = np.arange(lengths.max(initial=0))
        there = place < lengths[:, None]
        with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, which is refused
            block = self.values[np.where(there, self.starts[positions][:, None] + place, 0)].astype(np.float32)
        block = np.where(there[:, :, None], block, np.float32(0))
        bad = self._trouble(block, there)
        good = np.array([row for row in range(len(positions)) if row not in bad], np.int64)
        content = np.ascontiguousarray(block[good].swapaxes(1, 2))
        return Series(torch.from_numpy(content), torch.from_numpy(lengths[good])), {
            int(positions[row]): why for row, why in bad.items()
        }

    def _trouble(self, block: np.ndarray, there: np.ndarray) -> dict[int, str]:
        """Why some of these, n × length × channels, are of no use."""
        found: dict[int, str] = {}
        if self.long is None:
            given = np.isfinite(block) & there[:, :, None]
            low = np.where(given, block, np.inf).min(1, initial=np.inf)
            high = np.where(given, block, -np.inf).max(1, initial=-np.inf)
            found |= {
                int(row): "it is constant: all of its values are the same" for row in np.flatnonzero((low >= high).all(1))
            }
            for row, channel in zip(*np.nonzero(low > high)):
                found[int(row)] = f"its {self.names[channel]} has no value"
        for row in np.flatnonzero(np.isinf(block).any((1, 2))):
            found[int(row)] = "it holds infinity"
        return found

    def take(self, index: np.ndarray) -> "SeriesSamples":
        return replace(self, starts=self.starts[index], lengths=self.lengths[index], **selected(self, index))

    def facts(self) -> dict[str, Any]:
        longest = int(self.lengths.max(initial=0))
        return {
            **{"kind": self.kind, "shape": [len(self.names), longest], "channels": len(self.names), "longest": longest},
            **{"names": list(self.names), "gaps": self.gaps, "window": 0 if self.long is None else self.long.window},
        }

    def statistics(self) -> dict[str, list[float]]:
        """Mean and standard deviation of each channel over the moments that these samples cover, each counted once."""
        count, total = np.zeros(len(self.names)), np.zeros(len(self.names))
        for block in self._covered():
            count += np.isfinite(block).sum(0)
            total += np.where(np.isfinite(block), block, 0).sum(0)
        mean = total / np.maximum(count, 1)
        square = sum((np.where(np.isfinite(b), b - mean, 0) ** 2).sum(0) for b in self._covered())
        return {"mean": mean.tolist(), "std": np.sqrt(square / np.maximum(count, 1)).tolist()}

    def _covered(self) -> Iterator[np.ndarray]:
        """The moments of these samples, float64."""
        edges = np.zeros(len(self.values) + 1, np.int64)
        np.add.at(edges, self.starts, 1)
        np.add.at(edges, self.starts + self.lengths, -1)
        inside = np.flatnonzero(np.cumsum(edges[:-1]) > 0)
        for at in range(0, len(inside), ROWS):
            yield np.asarray(self.values[inside[at : at + ROWS]], np.float64)

    def fitted(self, facts: Mapping[str, Any]) -> "SeriesSamples":
        """These series as a run on others expects them: cut into windows, or whole."""
        if len(self.names) != facts["channels"]:
            raise TacitError(
                f"{self.source} has {len(self.names)} channels ({', '.join(self.names[:NAMED])}) and the run was trained on "
                f"{facts['channels']} ({', '.join(facts['names'][:NAMED])}); give the same channels."
            )
        found = self
        if self.long is not None and self.long.window != facts["window"]:
            found = self.windows(facts["window"]) if facts["window"] else self.whole()
        if found.gaps and not facts["gaps"]:
            warn(
                f"{self.source} has missing values or unequal lengths, which the run never saw: its mean stands for them.",
                stacklevel=2,
            )
        longer = int((found.lengths > facts["longest"]).sum())
        if longer and found.long is None:
            warn(
                f"{longer:,} of the {len(found):,} series of {self.source} are longer than the {facts['longest']:,} values "
                "that the run looks at; what follows is not seen.",
                stacklevel=2,
            )
        return found

    def windows(self, length: int = WINDOW, every: int = EVERY) -> "SeriesSamples":
        """One series cut into windows of so many values, of which a new one begins every so many."""
        if self.long is None and len(self) != 1:
            raise TacitError(f"{self.source} holds {len(self):,} series; windows are cut from a source that holds one.")
        if length < 2 or every < 1:
            raise TacitError(f"Windows of {length} values every {every} were asked for; give 2 or more, and 1 or more.")
        known = Long(by_time(len(self.values)), length, every) if self.long is None else self.long
        long = replace(known, window=length, every=every)
        starts, names = long.starts()
        broken = np.zeros(len(self.values) + 1, np.int64)
        for at, block in zip(range(0, len(self.values), ROWS), _blocks(self.values)):
            broken[at + 1 : at + 1 + len(block)] = ~np.isnan(block).all(1)
        held = np.cumsum(broken)
        full = held[starts + length] > held[starts]
        notes = {**self.notes, "windows": _told(long, len(self.values), int((~full).sum()))}
        starts, names = starts[full], names[full]
        if len(starts) < 2:
            raise TacitError(f"{self.source} gives {len(starts)} windows of {length} values; cut shorter ones.")
        declared = names if (names != "").any() else None
        ids = [f"{name}/{start:06d}" if name else f"{start:06d}" for name, start in zip(names.tolist(), starts.tolist())]
        own: dict[str, Any] = {
            "starts": starts,
            "lengths": np.full(len(starts), length),
            "ids": ids,
            "splits": declared,
            "labels": None,
        }
        return replace(self, **own, classes=(), long=long, notes=notes)

    def whole(self) -> "SeriesSamples":
        """The series that these are windows of, as one sample."""
        if self.long is None:
            return self
        own: dict[str, Any] = {
            "starts": np.zeros(1, np.int64),
            "lengths": np.array([len(self.values)]),
            "ids": ["00000"],
            "splits": None,
        }
        return replace(self, **own, long=None, notes={name: note for name, note in self.notes.items() if name != "windows"})

    def look(self, drawn: np.ndarray, most: int) -> dict[str, Any]:
        """What `tacit inspect` shows, in the fields of `data.inspecting`."""
        chosen = np.sort(drawn[:most])
        content, trouble = self.read(chosen)
        digests = {sha256(row.numpy().tobytes()).digest() for row in content.values}
        flat = int((content.values.nan_to_num(0).amax(2) == content.values.nan_to_num(0).amin(2)).any(1).sum())
        notes = dict(self.notes)
        notes["names"] = ", ".join(self.names[:NAMED]) + (", …" if len(self.names) > NAMED else "")
        if len(set(self.lengths.tolist())) > 1:
            notes["lengths"] = "unequal: what lies behind the end of a series is marked as missing"
        if flat:
            notes["constant"] = f"{flat:,} of the {len(chosen):,} read in full have a channel that does not change"
        return {
            **{"sizes": self.lengths[:, None], "modes": {str(self.values.dtype): len(self)}, "formats": {}},
            **{"bytes": self.values.nbytes, "looked_at": len(self), "decoded": len(chosen), "trouble": trouble},
            **{"duplicates": len(content.values) - len(digests), "ignored": self.ignored, "notes": notes},
        }


def by_time(moments: int) -> tuple[Part, ...]:
    """A series in three parts, one after another."""
    ends = [round(share * moments) for _, share in PARTS]
    return tuple(Part(name, begin, end) for (name, _), begin, end in zip(PARTS, [0, *ends], ends))


def cut(samples: SeriesSamples) -> SeriesSamples:
    """One long series as windows; what is short stays whole, and several series do."""
    if len(samples) > 1:
        return samples
    shortest = min((p.end - p.begin for p in samples.long.parts), default=0) if samples.long else len(samples.values)
    length = min(WINDOW, shortest // 2 if samples.long else shortest // FEWEST_WINDOWS)
    if length < WINDOW // FEWEST_WINDOWS:
        return replace(samples, long=None)
    return samples.windows(length)


def _blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    return (values[at : at + ROWS] for at in range(0, len(values), ROWS))


def _told(long: Long, moments: int, empty: int) -> str:
    parts = ", ".join(f"{part.name or 'all'} {part.begin:,} to {part.end:,}" for part in long.parts)
    anomaly = "" if long.anomaly is None else f"; {int(long.anomaly.sum()):,} moments are marked as unusual"
    without = f"; {empty:,} windows without any value are left out" if empty else ""
    return f"{long.window} values, a new one every {long.every}, of one series of {moments:,} ({parts}){anomaly}{without}"
