"""Facts become JSON that any reader takes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from tacit.cli.answer import Usage, plain
from tacit.cli.options import read


@dataclass
class Number:
    value: float
    file: Path


def test_everything_becomes_plain():
    facts = {"a": np.float32(0.5), 1: torch.arange(3), "n": Number(float("nan"), Path("x")), "t": (True, None, {"s"})}
    assert plain(facts) == {"a": 0.5, "1": [0, 1, 2], "n": {"value": None, "file": "x"}, "t": [True, None, ["s"]]}
    assert plain([b"\x89PNG"]) == ["iVBORw=="]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 1e-3), ("3", 3), ("0.5", 0.5), ("-1", -1), ("true", True), ("lars", "lars"), ("[0.2, 1e-1]", [0.2, 0.1]),
     ("data/few", "data/few"), ("10.5.3", "10.5.3"), ("1e-3x", "1e-3x"), ("{prototypes: 1e0}", {"prototypes": 1.0})],
)  # fmt: skip
def test_an_option_is_read_as_yaml(text, value):
    read_value = read({"weight-decay": text})["weight_decay"]
    assert read_value == value and type(read_value) is type(value)


def test_an_option_cannot_build_objects():
    with pytest.raises(Usage, match="--crop"):
        read({"crop": "!!python/object/apply:os.system ['true']"})


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_done(monkeypatch, tmp_path, capsys):
    import tacit
    from tacit.cli import run

    monkeypatch.setitem(vars(tacit), "inspect", lambda *a, **k: pytest.fail("it was called"))
    assert run(["inspect", "photos", "--json", str(tmp_path)]) == 1
    assert "is a folder; give a file" in capsys.readouterr().err
