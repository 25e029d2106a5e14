"""Sounds of a folder or a list: mono, at one rate, decoded and resampled once and kept where there is room."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tacit.data.decoding import Unreadable, at_once
from tacit.data.folders import Files
from tacit.data.labels import numbered, told_apart
from tacit.data.memory import Spill
from tacit.data.samples import Samples
from tacit.data.selecting import selected
from tacit.data.sounds.formats import LONGEST, SHORTEST, Header, Wave, decode, header
from tacit.errors import TacitError, unknown
from tacit.numerics import counter
from tacit.numerics.mel import log_mel

PROBED = 64  # headers that are looked at when a source is opened
HIGHEST = 16_000  # samples a second that sounds are resampled to, unless most have fewer: what speech models use
OTHERS = 16  # sounds of the source that its views may mix in
MEASURED = 2000  # sounds by which loudness and lengths are measured


class Sounds(NamedTuple):
    """Waves one after another, zeros behind each, and a few others of the same source."""

    waves: Tensor  # int16, n × t
    scales: Tensor  # float32, n: by which the samples are multiplied
    lengths: Tensor  # int64, n: how many samples each has
    others: Tensor  # float32, k × u, of standard deviation 1: what may be mixed in; each fills its row, beginning again

    def floats(self) -> Tensor:
        """The samples as they are: float32, n × t."""
        return self.waves.float() * self.scales[:, None]


@dataclass(eq=False, repr=False)
class SoundSamples(Samples):
    """Sounds of files, or those of them that `kept` holds decoded.

    columns   what a list says beside path, label and split: text for each sample, by name
    """

    source: str
    store: Files | None  # None of what was made in memory
    rows: np.ndarray  # int64: the row of each sample in the store and in what is kept
    ids: list[str]
    rate: int  # samples a second, of what is read
    lengths: tuple[float, float]  # seconds: of the median sound, and what nineteen of twenty do not exceed
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    ignored: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    kept: "Kept | None" = None
    others: Tensor | None = None  # once they were read
    kind = "audio"

    @classmethod
    def of(cls, source: str, store: Files, ids: list[str], **rest: Any) -> "SoundSamples":
        """All files of a store, of which a few headers are read: the rate is the most frequent of them, up to HIGHEST."""
        probed = np.unique(np.linspace(0, len(ids) - 1, min(len(ids), PROBED)).astype(int)).tolist()
        found = at_once(lambda row: _header(store, row), probed, [ids[row] for row in probed])
        good = [one for one in found if isinstance(one, Header) and one.rate > 0]
        if not good:
            raise TacitError(
                f"None of the {len(probed)} sounds tried in {source} can be read ({ids[probed[0]]}: {found[0]}); "
                "check the files."
            )
        rate = min(Counter(one.rate for one in good).most_common(1)[0][0], HIGHEST)
        lengths = _lengths(np.array([one.frames / one.rate for one in good]))
        return cls(source, store, np.arange(len(ids)), ids, rate, lengths, **rest)

    def read(self, index: np.ndarray) -> tuple[Sounds, dict[int, str]]:
        if self.kept is not None:
            return self.kept.read(self.rows[index], self._others()), {}
        found, bad = self._decoded(np.asarray(index))
        return padded(found, self._others()), bad

    def take(self, index: np.ndarray) -> "SoundSamples":
        columns = {name: values[index] for name, values in self.columns.items()}
        return replace(self, rows=self.rows[index], columns=columns, others=None, **selected(self, index))

    def labelled(self, column: str) -> "SoundSamples":
        """The same with the labels of another column of the list (who speaks, in place of what is said)."""
        if column not in self.columns:
            raise unknown(f"column of {self.source}", column, self.columns)
        labels, classes = numbered(told_apart(self.columns[column].tolist()), self.source)
        return replace(self, labels=labels, classes=classes)

    def held_out(self, column: str, value: str) -> "SoundSamples":
        """The same with everything that has this value in a column of the list as the test part, and the others to train on."""
        if column not in self.columns:
            raise unknown(f"column of {self.source}", column, self.columns)
        test = self.columns[column] == value
        if not test.any() or test.all():
            raise unknown(f"value of {column} that some have", value, np.unique(self.columns[column]).tolist())
        return replace(self, splits=np.where(test, "test", "train"))

    def at_rate(self, rate: int) -> "SoundSamples":
        """The same resampled to so many samples a second."""
        if rate == self.rate:
            return self
        if not 1000 <= rate <= 192_000:
            raise TacitError(f"{rate} samples a second were asked for; give 1000 to 192000, such as 16000.")
        if self.store is None:
            raise TacitError(f"{self.source} is in memory at {self.rate} samples a second; make it at {rate}.")
        return replace(self, rate=rate, kept=None, others=None)

    def fitted(self, facts: Mapping[str, Any]) -> "SoundSamples":
        """At the rate of a run's facts."""
        return self.at_rate(int(facts["rate"]))

    def facts(self) -> dict[str, Any]:
        longest = round(self.lengths[1] * self.rate)
        return {"kind": self.kind, "shape": [longest], "rate": self.rate, "seconds": list(self.lengths)}

    def statistics(self) -> dict[str, Any]:
        """Mean and standard deviation of the log-mel values of at most MEASURED sounds, and their lengths."""
        chosen = np.sort(counter.permutation(counter.key("statistics"), len(self))[:MEASURED])
        sums, count, seconds = np.zeros(2), 0, []
        for some in np.array_split(chosen, -(-len(chosen) // 64)):
            content, _ = self.read(some)
            mels = log_mel(content.floats(), self.rate).double()
            frames = (content.lengths * mels.shape[2] / max(content.waves.shape[1], 1)).long().clamp_min(1)
            there = torch.arange(mels.shape[2]) < frames[:, None]
            values = mels.transpose(1, 2)[there]
            sums += [float(values.sum()), float(values.square().sum())]
            count += values.numel()
            seconds += (content.lengths / self.rate).tolist()
        mean = float(sums[0]) / max(count, 1)
        spread = max(float(sums[1]) / max(count, 1) - mean**2, 1e-12) ** 0.5
        return {"mean": mean, "std": spread, "seconds": list(_lengths(np.array(seconds)))}

    def path(self, position: int) -> str | None:
        return None if self.store is None else self.store.path(int(self.rows[position]))

    def look(self, drawn: np.ndarray, most: int) -> dict[str, Any]:
        """What `tacit inspect` shows of up to `most` sounds, in the fields of `data.inspecting`."""
        store, chosen = self.store, np.sort(drawn[:most])
        if store is None:
            raise TypeError(f"{self.source} was made in memory; inspect what is written of it")
        said = at_once(lambda row: _header(store, row), self.rows[chosen].tolist(), [self.ids[i] for i in chosen])
        headers = [one for one in said if isinstance(one, Header)]
        found, trouble = self._decoded(chosen)
        seconds = np.array([one.frames / one.rate for one in headers if one.rate])
        rates, channels = Counter(one.rate for one in headers), Counter(one.channels for one in headers)
        notes = {"rate": f"{self.rate:,} samples a second{_of(rates, 'from')}; channels are averaged{_of(channels, 'of')}"}
        if len(seconds):
            median, longest = np.median(seconds), seconds.max()
            notes["lasting"] = f"{seconds.min():.2f} to {longest:.2f} seconds, median {median:.2f}"
            if longest > LONGEST:
                notes["lasting"] += f"; of those of more than {LONGEST:.0f} the first {LONGEST:.0f} are heard"
        return {
            "sizes": np.empty((0, 1)),
            "modes": dict(Counter(one.kind for one in headers)),
            "formats": dict(Counter(one.format for one in headers)),
            "bytes": store.weight(self.rows.tolist()),
            "looked_at": len(chosen),
            "decoded": len(chosen),
            "trouble": trouble,
            "duplicates": len(found) - len({sha256(one.values.tobytes()).digest() for one in found}),
            "ignored": self.ignored,
            "notes": {**self.notes, **notes},
        }

    def _decoded(self, index: np.ndarray) -> tuple[list[Wave], dict[int, str]]:
        """The readable ones decoded on all cores, and why the others are not."""
        store, rate = self.store, self.rate
        assert store is not None, "what was made in memory is kept there"
        found = at_once(lambda row: _attempt(store, int(row), rate), self.rows[index], [self.ids[i] for i in index])
        bad = {int(i): str(one) for i, one in zip(index, found) if isinstance(one, Unreadable)}
        return [one for one in found if isinstance(one, Wave)], bad

    def _others(self) -> Tensor:
        """A few of these sounds, read when first asked for."""
        if self.others is None:
            chosen = np.sort(counter.permutation(counter.key("others"), len(self))[:OTHERS])
            if self.kept is not None:
                sounds = self.kept.read(self.rows[chosen], torch.zeros(0, 1))
            else:
                sounds = padded(self._decoded(chosen)[0], torch.zeros(0, 1))
            self.others = filled(sounds)
        return self.others


@dataclass(frozen=True, eq=False)
class Kept:
    """Decoded sounds one after another."""

    values: np.ndarray  # int16
    offsets: np.ndarray  # int64, sounds + 1: where each begins
    scales: np.ndarray  # float32, of each

    @classmethod
    def of(cls, waves: Sequence[Wave]) -> "Kept":
        offsets = np.concatenate([[0], np.cumsum([len(one.values) for one in waves])]).astype(np.int64)
        scales = np.array([one.scale for one in waves], np.float32)
        return cls(np.concatenate([one.values for one in waves]), offsets, scales)

    def read(self, rows: np.ndarray, others: Tensor) -> Sounds:
        lengths = self.offsets[rows + 1] - self.offsets[rows]
        place = np.arange(lengths.max(initial=0))
        there = place < lengths[:, None]
        waves = self.values[np.where(there, self.offsets[rows][:, None] + place, 0)] * there
        return Sounds(torch.from_numpy(waves), torch.from_numpy(self.scales[rows]), torch.from_numpy(lengths), others)


class Keep:
    """Puts sounds on disk as they are read, decoded and resampled, as long as there is room (`memory.Spill`)."""

    def __init__(self, share: float):
        self.values = Spill(np.int16, share)
        self.lengths: list[np.ndarray] = []
        self.scales: list[np.ndarray] = []

    def add(self, content: Sounds) -> None:
        """Keep a batch."""
        waves, lengths = content.waves.numpy(), content.lengths.numpy()
        self.values.add(waves[np.arange(waves.shape[1]) < lengths[:, None]])
        self.lengths.append(lengths)
        self.scales.append(content.scales.numpy())

    def done(self, samples: Samples) -> Samples:
        """What was read, where there was room for all of it; else the samples as they were."""
        values = self.values.mapped()
        if values is None or not isinstance(samples, SoundSamples):
            return samples
        offsets = np.concatenate([[0], np.cumsum(np.concatenate(self.lengths))])
        kept = Kept(values, offsets, np.concatenate(self.scales))
        store = samples.store and Files(samples.store.root, [samples.store.names[row] for row in samples.rows])
        return replace(samples, kept=kept, store=store, rows=np.arange(len(samples)), others=None)


def padded(sounds: Sequence[Wave], others: Tensor) -> Sounds:
    """Sounds as one batch, zeros behind each."""
    lengths = np.array([len(one.values) for one in sounds], np.int64)
    waves = np.zeros((len(sounds), lengths.max(initial=0)), np.int16)
    waves[np.arange(waves.shape[1]) < lengths[:, None]] = np.concatenate(
        [*(one.values for one in sounds), np.zeros(0, np.int16)]
    )
    scales = np.array([one.scale for one in sounds], np.float32)
    return Sounds(torch.from_numpy(waves), torch.from_numpy(scales), torch.from_numpy(lengths), others)


def filled(sounds: Sounds) -> Tensor:
    """Waves of standard deviation 1 that begin again until the longest ends: float32, k × t."""
    if not len(sounds.waves):
        return torch.zeros(0, 1)
    place = torch.arange(sounds.waves.shape[1]) % sounds.lengths[:, None].clamp_min(1)
    waves = sounds.floats().gather(1, place)
    return waves / waves.std(1, keepdim=True).clamp_min(1e-9)


def _lengths(seconds: np.ndarray) -> tuple[float, float]:
    heard = seconds.clip(SHORTEST, LONGEST)
    return round(float(np.median(heard)), 4), round(float(np.quantile(heard, 0.95)), 4)


def _of(counts: Counter, word: str) -> str:
    """What there is beside the usual, for a note: " (from 44,100: 12, 8,000: 3)"."""
    return (
        f" ({word} {', '.join(f'{value:,}: {count:,}' for value, count in counts.most_common(4))})" if len(counts) > 1 else ""
    )


def _header(store: Files, row: int) -> Header | Unreadable:
    try:
        return header(store.content(row))
    except Unreadable as error:
        return error


def _attempt(store: Files, row: int, rate: int) -> Wave | Unreadable:
    try:
        return decode(store.content(row), rate)
    except Unreadable as error:
        return error
