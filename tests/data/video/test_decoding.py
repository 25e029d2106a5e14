"""Frames by seeking: the right ones, and no more packets decoded than lie around them."""

import sys

import numpy as np
import pytest

from tacit.data.decoding import Unreadable
from tacit.data.video import decoding
from tacit.errors import TacitError
from tests.data.video.encoding import encode, moving, sound

SUFFIXES = [".mp4", ".mov", ".avi", ".webm", ".mkv"]


def number(frames):
    """Which frames these are, by the grey value in their corner."""
    return np.rint(frames[:, 2:14, 2:14].mean((1, 2, 3)) / 4).astype(int)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    return {suffix: encode(folder / f"a{suffix}", moving()) for suffix in SUFFIXES}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_header_says_what_was_encoded(files, suffix):
    header = decoding.header(files[suffix])
    assert header[:5] == (40, 48, 64, 25.0, 3)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("places", [[0, 1, 2], [17, 19, 21, 23], [39], [12, 11, 13, 11], [0, 39]])
def test_the_frames_asked_for_come_in_their_order(files, suffix, places):
    frames = decoding.frames(files[suffix], np.array(places), 48, 3)
    assert frames.shape == (len(places), 48, 64, 3) and frames.dtype == np.uint8
    assert np.abs(number(frames) - places).max() <= 1 and np.abs(frames.astype(int) - moving()[places]).mean() < 12


def test_frames_are_shrunk_and_made_grey(files):
    assert decoding.frames(files[".mp4"], np.array([3, 4]), 24, 1).shape == (2, 24, 32, 1)


def test_only_the_neighbourhood_of_the_frames_is_decoded(tmp_path, monkeypatch):
    """Of ten minutes at 10 frames a second, 6000 frames, 16 frames cost at most those and a distance between key frames."""
    still = np.broadcast_to(moving(n=1, size=(32, 32)), (6000, 32, 32, 3))
    decoded = []
    monkeypatch.setattr(decoding, "decode", lambda packet: decoded.append(packet.pts) or packet.decode())
    for suffix in (".mp4", ".avi", ".webm"):
        path = encode(tmp_path / f"long{suffix}", still, rate=10, every=24)
        decoded.clear()
        assert decoding.header(path).frames == 6000
        assert len(decoded) <= 2 * (24 + 16), suffix
        for first in (4001, 37, 5980):
            decoded.clear()
            frames = decoding.frames(path, first + np.arange(16), 32, 3)
            assert len(frames) == 16 and len(decoded) <= 16 + 24 + 16, (suffix, first, len(decoded))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_variable_frame_rate_is_told(tmp_path, suffix):
    times = np.cumsum([4 if i % 7 else 11 for i in range(40)]).tolist()
    path = encode(tmp_path / f"uneven{suffix}", moving(), times=times)
    with pytest.raises(Unreadable, match="frame rate is variable"):
        decoding.header(path)


def test_what_is_no_video_is_told(tmp_path):
    with pytest.raises(Unreadable, match="no video stream"):
        decoding.header(sound(tmp_path / "sound.mp4"))
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(Unreadable, match="the file is empty"):
        decoding.header(tmp_path / "empty.mp4")
    (tmp_path / "text.avi").write_text("not a video " * 99)
    with pytest.raises(Unreadable):
        decoding.header(tmp_path / "text.avi")
    with pytest.raises(Unreadable, match="No such file"):
        decoding.header(tmp_path / "missing.mp4")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_frames_and_broken_off_files_are_told(tmp_path, suffix):
    none = encode(tmp_path / f"none{suffix}", moving(n=1)[:0])
    with pytest.raises(Unreadable, match=r"no frame|no video stream|before its first frame"):
        decoding.header(none)
    whole = encode(tmp_path / f"whole{suffix}", moving(n=120)).read_bytes()
    (tmp_path / f"half{suffix}").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Unreadable):
        decoding.header(tmp_path / f"half{suffix}")


def test_pyav_missing_is_one_sentence(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(TacitError, match=r"pip install 'tacit\[video\]'"):
        decoding.header(files[".mp4"])
