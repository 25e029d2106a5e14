"""Sound files: what is read of them, and what is refused in one sentence each."""

import struct
import subprocess
import sys

import numpy as np
import pytest

from tacit.data.decoding import Unreadable
from tacit.data.sounds.formats import decode, header, resampled
from tacit.data.sounds.generated import write_wav

soundfile = pytest.importorskip("soundfile")
T = np.arange(4000) / 8000
TONE = 0.5 * np.sin(2 * np.pi * 440 * T)


def heard(file, rate=8000):
    values, scale = decode(file, rate)
    return values * scale


@pytest.mark.parametrize(("suffix", "close"), [("wav", 1e-4), ("flac", 1e-4), ("ogg", 0.1), ("mp3", 0.1)])
def test_every_format(tmp_path, suffix, close):
    file = tmp_path / f"tone.{suffix}"
    soundfile.write(file, TONE, 8000)
    assert header(file).rate == 8000 and header(file).channels == 1
    found = heard(file)
    assert found.shape == (4000,) and np.abs(found[500:-500] - TONE[500:-500]).max() < close


def test_channels_are_averaged(tmp_path):
    write_wav(tmp_path / "two.wav", np.stack([TONE, np.zeros(4000)], 1), 8000)
    assert np.abs(heard(tmp_path / "two.wav") - TONE / 2).max() < 1e-4


def test_another_rate(tmp_path):
    """A tone stays a tone; what the lower rate cannot hold is gone."""
    t = np.arange(44100) / 44100
    write_wav(tmp_path / "high.wav", 0.5 * np.sin(2 * np.pi * 440 * t) + 0.4 * np.sin(2 * np.pi * 7000 * t), 44100)
    found = heard(tmp_path / "high.wav")
    assert len(found) == 8000
    assert np.abs(found[400:-400] - 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)[400:-400]).max() < 0.01
    assert resampled(TONE, 8000, 8000) is TONE


def test_loud_floats_are_not_clipped_and_quiet_sounds_keep_their_steps(tmp_path):
    soundfile.write(tmp_path / "loud.wav", (3 * TONE).astype(np.float32), 8000, subtype="FLOAT")
    assert np.abs(heard(tmp_path / "loud.wav") - 3 * TONE).max() < 1e-4
    soundfile.write(tmp_path / "quiet.wav", (1e-4 * TONE).astype(np.float32), 8000, subtype="FLOAT")
    assert np.abs(heard(tmp_path / "quiet.wav") - 1e-4 * TONE).max() < 1e-8


def test_a_long_sound_is_heard_for_thirty_seconds(tmp_path):
    soundfile.write(tmp_path / "long.flac", np.tile(TONE, 70), 8000)
    assert len(heard(tmp_path / "long.flac")) == 240_000


def broken(folder):
    """One file of each fault, and what is said of it."""
    write_wav(folder / "silence.wav", np.zeros(4000), 8000)
    write_wav(folder / "short.wav", TONE[:40], 8000)
    nan = TONE.astype(np.float32)
    nan[5:8] = np.nan
    soundfile.write(folder / "nan.wav", nan, 8000, subtype="FLOAT")
    write_wav(folder / "lies.wav", TONE, 8000)
    data = bytearray((folder / "lies.wav").read_bytes())
    data[40:44] = struct.pack("<I", 10**8)
    (folder / "lies.wav").write_bytes(data)
    write_wav(folder / "cut.wav", TONE, 8000)
    (folder / "cut.wav").write_bytes((folder / "cut.wav").read_bytes()[:3000])
    soundfile.write(folder / "cut.flac", np.random.default_rng(0).normal(0, 0.1, 80_000), 8000)
    (folder / "cut.flac").write_bytes((folder / "cut.flac").read_bytes()[:30_000])
    soundfile.write(folder / "lies.flac", TONE, 8000)
    data = bytearray((folder / "lies.flac").read_bytes())
    data[21] &= 0xF0
    data[22:26] = struct.pack(">I", 4 * 10**9)  # the number of samples in STREAMINFO
    (folder / "lies.flac").write_bytes(data)
    write_wav(folder / "opposite.wav", np.stack([TONE, -TONE], 1), 8000)
    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.mp3").write_text("no sound " * 50)
    return {
        "silence.wav": "silent",
        "short.wav": "lasts 5 ms, and 25 are needed",
        "nan.wav": "3 of its 4,000 samples hold NaN",
        "lies.wav": "claims 50,000,000 samples and the file holds 4,000",
        "cut.wav": "claims 4,000 samples and the file holds 1,478",
        "cut.flac": "cannot be decoded|claims 80,000",
        "lies.flac": "cannot be decoded|claims",
        "opposite.wav": "cancel each other out",
        "empty.wav": "the file is empty",
        "text.mp3": "cannot be decoded",
        "gone.wav": "no such file|No such file",
    }


def test_every_fault_is_named(tmp_path):
    for name, said in broken(tmp_path).items():
        with pytest.raises(Unreadable, match=said):
            decode(tmp_path / name, 8000)


def test_a_stream_that_does_not_know_its_length_is_read(tmp_path):
    write_wav(tmp_path / "stream.wav", TONE, 8000)
    data = bytearray((tmp_path / "stream.wav").read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    (tmp_path / "stream.wav").write_bytes(data)
    assert len(heard(tmp_path / "stream.wav")) == 4000


def test_without_soundfile_one_sentence(tmp_path):
    write_wav(tmp_path / "a.wav", TONE, 8000)
    code = (
        "import sys; sys.modules['soundfile'] = None\n"
        "import tacit\n"
        f"try: tacit.open({str(tmp_path)!r})\n"
        "except tacit.TacitError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'tacit[audio]'" in said and said.count("\n") == 1
