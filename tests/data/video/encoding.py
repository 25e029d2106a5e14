"""Small real clips, encoded as the tests need them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

CODECS = {".mp4": "libx264", ".mov": "mpeg4", ".avi": "mpeg4", ".webm": "libvpx", ".mkv": "libx264"}


def moving(seed: int = 0, n: int = 40, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    """A bright square on a ground of one colour, uint8, n × height × width × 3; frame i has 4 i in its corner."""
    rng = np.random.default_rng(seed)
    ground, (dy, dx) = rng.integers(0, 90, 3), rng.integers(1, 4, 2)
    clip = np.empty((n, *size, 3), np.uint8)
    clip[:] = ground
    for i, frame in enumerate(clip):
        y, x = (5 + dy * i) % (size[0] - 12), (9 + dx * i) % (size[1] - 12)
        frame[y : y + 12, x : x + 12] = 255 - ground
        frame[:16, :16] = min(4 * i, 255)
    return clip


def encode(path: Path, clip: np.ndarray, rate: int = 25, every: int = 12, times: list[int] | None = None) -> Path:
    """Write frames as a video with a key frame at least `every` so many; `times` are whole quarters of a frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(CODECS[path.suffix], rate=rate)
        stream.height, stream.width = clip.shape[1:3]
        stream.pix_fmt, stream.gop_size = "yuv420p", every
        stream.options = {"crf": "12", "g": str(every), "keyint_min": str(every)} if path.suffix == ".mp4" else {}
        stream.codec_context.time_base = Fraction(1, 4 * rate) if times else Fraction(1, rate)
        container.start_encoding()  # so that a file is written even where there is no frame
        for i, pixels in enumerate(clip):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = (times[i] if times else i), stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def sound(path: Path) -> Path:
    """A file with sound and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
