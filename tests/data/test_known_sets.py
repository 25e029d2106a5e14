import hashlib
import os
import re
from pathlib import Path

import numpy as np
import pytest

from tacit.data import known, known_sets
from tacit.errors import TacitError


def test_what_is_not_set_not_there_or_misspelt_is_said(monkeypatch, tmp_path):
    monkeypatch.delenv("TACIT_DATA", raising=False)
    with pytest.raises(TacitError, match="TACIT_DATA, which is not set"):
        known("mnist-20k")
    monkeypatch.setenv("TACIT_DATA", str(tmp_path))
    with pytest.raises(TacitError, match="set TACIT_DATA to the folder that holds images/mnist"):
        known("mnist-20k")
    with pytest.raises(TacitError, match="did you mean 'mnist-20k'"):
        known("minst-20k")


def test_another_version_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("TACIT_DATA", str(tmp_path))
    path = tmp_path / known_sets.SETS["mnist-20k"].path
    path.parent.mkdir(parents=True)
    np.savez(path, x=np.zeros((3, 4, 4), np.uint8))
    with pytest.raises(TacitError, match="not the mnist-20k"):
        known("mnist-20k")
    entry = known_sets.KnownSet(known_sets.SETS["mnist-20k"].path, hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setitem(known_sets.SETS, "mnist-20k", entry)
    assert len(known("mnist-20k")) == 3


def test_a_folders_checksum_sees_names_and_contents(tmp_path):
    def folder(name, **files):
        for path, text in files.items():
            (tmp_path / name / path).mkdir(parents=True)
            (tmp_path / name / path / "1").write_text(text)
        return known_sets.checksum(tmp_path / name)

    sums = [folder("one", a="x", b="y"), folder("two", a="x", c="y"), folder("three", a="xy", b="")]
    assert len(set(sums)) == 3 and folder("four", b="y", a="x") == sums[0]
    (tmp_path / "five").mkdir()
    (tmp_path / "five" / "README.md").write_text("said beside the data")
    assert folder("five", a="x", b="y") == sums[0]


@pytest.mark.data
@pytest.mark.skipif("TACIT_DATA" not in os.environ, reason="TACIT_DATA is not set")
@pytest.mark.parametrize(
    ("name", "count", "shape", "classes"),
    [
        ("cifar10-15k", 18_000, [3, 32, 32], 10),
        ("mnist-20k", 25_000, [1, 28, 28], 10),
        ("omniglot-small1", 2720, [1, 28, 28], 136),
        ("pneumonia-balanced", 3166, [1, 28, 28], 2),
        ("sign-digits", 2062, [3, 64, 64], 10),
    ],
)
def test_known_sets_are_what_they_are(name, count, shape, classes):
    samples = known(name)
    assert (len(samples), samples.facts()["shape"], len(samples.classes)) == (count, shape, classes)


def test_every_set_that_a_claim_or_a_benchmark_names_is_known():
    """Their quick forms do without, so a name that is misspelt would be met in the full run alone."""
    root = Path(__file__).parents[2]
    files = [*(root / "src" / "tacit" / "claims").rglob("*.py"), *(root / "benchmarks").glob("*.py")]
    named = {name for file in files for name in re.findall(r'(?<![.\w])known\("([^"]+)"', file.read_text(encoding="utf-8"))}
    assert len(named) > 10 and named <= known_sets.SETS.keys()
