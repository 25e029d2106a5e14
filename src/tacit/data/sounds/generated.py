"""Diphthongs that code speaks, for trying things out and for tests: the same on every machine, nothing to download."""

import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tacit.data.folders import place_in
from tacit.data.sounds.formats import packed
from tacit.data.sounds.samples import Kept, SoundSamples
from tacit.errors import TacitError
from tacit.numerics import counter

RATE = 8000
CHUNK = 64  # sounds made together
HARMONICS = 24
SPEAKERS = 6
# The first two formants in hertz, at the beginning and at the end.
DIPHTHONGS = {
    "ai": (800, 1200, 300, 2300),
    "ia": (300, 2300, 800, 1200),
    "au": (800, 1200, 350, 800),
    "ua": (350, 800, 800, 1200),
    "iu": (300, 2300, 350, 800),
    "ui": (350, 800, 300, 2300),
}


def diphthongs(n: int, seed: int = 0, classes: int = 6, noise: float = 0.1) -> SoundSamples:
    """Up to 6 diphthongs by 6 speakers, of 0.3 to 0.6 seconds at 8 kHz, at any loudness, in white noise.

    Pitch, its fall, the length of the vocal tract and loudness are the speaker's and the moment's, and the voice does not fill
    the recording. A diphthong and its reverse
    have the same mean spectrum: which it is, only the order in time tells. `noise` is its amplitude, relative to the voice's.
    """
    if not 2 <= classes <= len(DIPHTHONGS):
        raise TacitError(f"{classes} classes of diphthongs were asked for; there are 2 to {len(DIPHTHONGS)}.")
    key, rows, names = counter.key(seed, "diphthongs"), np.arange(n), tuple(DIPHTHONGS)[:classes]
    few = counter.uniform(counter.key(key, "few"), rows, 9).astype(np.float64)
    labels, speakers = (few[:, 0] * classes).astype(np.int64), (few[:, 1] * SPEAKERS).astype(np.int64)
    splits = np.where(rows % 5 == 4, "test", "train")
    waves = []
    for start in range(0, n, CHUNK):
        some = rows[start : start + CHUNK]
        spoken = _spoken(few[some], np.array([DIPHTHONGS[names[label]] for label in labels[some]], np.float64))
        size = (RATE * (0.3 + 0.3 * few[some, 2])).astype(np.int64)
        hiss = counter.normal(counter.key(key, "noise"), some, spoken.shape[1])
        loud = 10 ** (-1.5 * few[some, 3:4])
        heard = loud * (spoken + noise * hiss * spoken.std(1, keepdims=True))
        waves += [packed(row[:length]) for row, length in zip(heard, size)]
    own: dict[str, Any] = {"labels": labels, "classes": names, "splits": splits, "kept": Kept.of(waves)}
    columns = {"speaker": np.array([f"speaker {speaker}" for speaker in speakers])}
    ids = [f"{split}/{row:05d}" for split, row in zip(splits, rows)]
    return SoundSamples("generated diphthongs", None, rows, ids, RATE, (0.45, 0.58), columns=columns, **own)


def in_noise(samples: SoundSamples, snr: float, seed: int = 0) -> SoundSamples:
    """The same sounds in memory, each in white noise that lies `snr` decibels below it."""
    waves, key = [], counter.key(seed, "in noise")
    for start in range(0, len(samples), CHUNK):
        index = np.arange(start, min(start + CHUNK, len(samples)))
        content, bad = samples.read(index)
        if bad:
            raise TacitError(f"{samples.ids[min(bad)]} cannot be read ({bad[min(bad)]}); leave it out.")
        values, lengths = content.floats().numpy(), content.lengths.numpy()
        hiss = counter.normal(key, index, values.shape[1])
        loud = np.sqrt(np.square(values).sum(1) / lengths) * 10 ** (-snr / 20)
        waves += [packed(row[:length]) for row, length in zip(values + loud[:, None] * hiss, lengths)]
    return replace(samples, kept=Kept.of(waves), rows=np.arange(len(samples)), store=None, others=None)


def write(samples: SoundSamples, folder: Path) -> None:
    """Write sounds as .wav files of 16 bits, folder / split / class / row.wav, as `tacit.data.open` reads them."""
    for position, id in enumerate(samples.ids):
        content, _ = samples.read(np.array([position]))
        place = place_in(folder, samples, position)
        write_wav(place / f"{Path(id).stem}.wav", content.floats()[0].numpy(), samples.rate)


def write_wav(file: Path, values: np.ndarray, rate: int) -> None:
    """Samples in −1 … 1 (t, or t × channels) as a .wav of 16 bits."""
    values = values.reshape(len(values), -1)
    with wave.open(str(file), "wb") as out:
        out.setnchannels(values.shape[1])
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(np.rint(values.clip(-1, 1) * 32767).astype("<i2").tobytes())


def _spoken(few: np.ndarray, formants: np.ndarray) -> np.ndarray:
    """Harmonics of a falling pitch, each as loud as two gliding formants make it: n × 0.6 seconds."""
    t = np.arange(int(0.6 * RATE)) / RATE
    speaker = (few[:, 1] * SPEAKERS).astype(np.int64)
    pitch = (90 + 28 * speaker + 15 * few[:, 4])[:, None] * (1 - 0.3 * few[:, 5:6] * t / 0.6)
    phase = 2 * np.pi * np.cumsum(pitch, 1) / RATE
    place = t / (0.3 + 0.3 * few[:, 2:3])
    begin, end = 0.05 + 0.15 * few[:, 7:8], 0.8 + 0.15 * few[:, 8:9]
    glide = ((place - begin) / (end - begin)).clip(0, 1)
    sounding = 1 / ((1 + np.exp((begin - place) / 0.01)) * (1 + np.exp((place - end) / 0.01)))
    tract = (0.85 + 0.06 * speaker + 0.04 * few[:, 6])[:, None]
    first, second = (tract * (formants[:, i, None] * (1 - glide) + formants[:, i + 2, None] * glide) for i in (0, 1))
    spoken = np.zeros_like(phase)
    for number in range(1, HARMONICS + 1):
        frequency = number * pitch
        loud = np.exp(-(((frequency - first) / 120) ** 2)) + 0.5 * np.exp(-(((frequency - second) / 180) ** 2)) + 0.02
        spoken += np.where(frequency < RATE / 2, loud / np.sqrt(number), 0) * np.cos(number * phase)
    return sounding * spoken / 3
