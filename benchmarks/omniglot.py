"""Omniglot, 20-way 1-shot by nearest neighbour, on characters that pretraining never saw.

    TACIT_DATA=… python benchmarks/omniglot.py

The rule, fixed beforehand: above raw pixels, intervals apart. SimCLR learns without labels from three fifths of the characters
(by hash of the character); episodes are drawn from the others: 20 characters, one example each by one drawer, one query each by
another drawer. Views are not mirrored, since mirroring makes another character. The result goes to
benchmarks/results/omniglot.json.
"""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import tacit
from tacit.data.splitting import by_hash
from tacit.judging import features, representations
from tacit.numerics import counter
from tacit.numerics.exact import unit
from tacit.views.kinds import Plain

RESULTS = Path(__file__).parent / "results"
OPTIONS = {"flip": 0.0, "crop": [0.4, 1.0], "epochs": 60, "batch": 128, "seed": 0}
EPISODES, WAYS = 1000, 20


def main() -> None:
    samples = tacit.known("omniglot-small1")
    seen = by_hash([f"character {c}" for c in range(len(samples.classes))], test=0.4) == "train"
    train, test = (samples.take(np.flatnonzero(seen[samples.labels] == part)) for part in (True, False))
    begun, load = time.time(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        run = tacit.pretrain(train, "simclr", out=Path(folder) / "run", **OPTIONS)
        seconds = time.time() - begun
        found = {}
        for name, represent in representations(run).items():
            (z,) = features(run, test, represent, Plain(), 0)
            right = episodes(unit(z), test.labels)
            margin = 1.96 * right.std() / len(right) ** 0.5
            found[name] = {"accuracy": round(100 * right.mean(), 2), "interval": round(100 * margin, 2)}
    result = {
        "set": "omniglot-small1",
        "pretrained_on": f"{len(train)} images of {int(seen.sum())} characters, no labels",
        "judged_on": f"{EPISODES} episodes of {WAYS} of {int((~seen).sum())} unseen characters",
        "options": OPTIONS,
        "found": found,
        "seconds": round(seconds, 1),
        "load_at_start": load,
        "command": "python benchmarks/omniglot.py",
        "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "omniglot.json").write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))


def episodes(z: torch.Tensor, labels: np.ndarray) -> np.ndarray:
    """The share of queries answered right in each episode."""
    members = {c: np.flatnonzero(labels == c) for c in np.unique(labels)}
    characters, right = np.array(list(members)), np.empty(EPISODES)
    for episode in range(EPISODES):
        ways = characters[counter.permutation(counter.key("ways", episode), len(characters))[:WAYS]]
        shots = [members[c][counter.permutation(counter.key("drawers", episode, int(c)), len(members[c]))[:2]] for c in ways]
        support, query = np.array(shots).T
        right[episode] = (z[query] @ z[support].T).argmax(1).eq(torch.arange(WAYS)).float().mean()
    return right


if __name__ == "__main__":
    main()
