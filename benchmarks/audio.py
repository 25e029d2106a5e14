"""Log-mel spectrograms of tacit beside librosa's, in turns in one process, on one core: are they the same, and how fast?

    pip install librosa                              # in an environment of this benchmark's own
    OMP_NUM_THREADS=1 python benchmarks/audio.py     # writes benchmarks/results/audio.json

Both take 64 bands of 512 bins, Hann windows of 25 ms every 10 ms, mel as in HTK, triangles of height 1, and a logarithm.
librosa is given a batch at once, as it allows, and once more sound by sound. Times are of the processor, and ratios of the
medians of the turns.
"""

import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import torch

from tacit.numerics.mel import FLOOR, log_mel

RATE, TURNS = 16_000, 15
SHAPES = {"64 sounds of 1 second": (64, 1), "8 sounds of 10 seconds": (8, 10)}


def rival(waves: np.ndarray) -> np.ndarray:
    hann = librosa.filters.get_window("hann", 400)
    power = librosa.feature.melspectrogram(
        y=waves, sr=RATE, n_fft=512, win_length=400, hop_length=160, n_mels=64, htk=True, norm=None, pad_mode="reflect"
    )
    return np.log(power / np.float32(np.square(hann).sum()) + np.float32(FLOOR))


def timed(function: Callable[[], object]) -> float:
    began = time.process_time()
    function()
    return time.process_time() - began


def main() -> None:
    torch.set_num_threads(1)
    rows = []
    for title, (count, seconds) in SHAPES.items():
        waves = np.random.default_rng(0).normal(0, 0.1, (count, seconds * RATE)).astype(np.float32)
        ours, batch, single = (
            lambda waves=waves: log_mel(torch.from_numpy(waves), RATE),
            lambda waves=waves: rival(waves),
            lambda waves=waves: [rival(wave) for wave in waves],
        )
        difference = float(np.abs(ours().numpy() - batch()[:, :, : seconds * 100]).max())
        single()
        turns = np.array([[timed(one) for one in (ours, batch, single)] for _ in range(TURNS)])
        median = 1000 * np.median(turns, 0)
        row = {"sounds": title, "largest difference": difference, "tacit, ms": median[0]}
        row |= {"librosa, a batch, ms": median[1], "librosa, one by one, ms": median[2]}
        row |= {"times faster than a batch": median[1] / median[0], "than one by one": median[2] / median[0]}
        rows.append({name: value if isinstance(value, str) else round(float(value), 6) for name, value in row.items()})
        print(rows[-1])
    where = {"machine": platform.machine(), "threads": torch.get_num_threads(), "load": os.getloadavg()[0]}
    where |= {"torch": torch.__version__, "librosa": librosa.__version__}
    out = Path(__file__).parent / "results" / "audio.json"
    out.write_text(json.dumps({"where": where, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
