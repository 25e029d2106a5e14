"""`tacit evaluate --regimes` tells of the regimes after the ordinary numbers, and only where it was asked to."""

import json
from types import SimpleNamespace

import pytest

import tacit
from tacit.cli import run


class Page(SimpleNamespace):
    def __str__(self):
        return self.text

    def as_dict(self):
        return {"text": self.text}


@pytest.fixture
def asked(monkeypatch):
    calls = {}

    def fake(name, text):
        def function(*args, **kwargs):
            calls[name] = (args, kwargs)
            return Page(text=text)

        return function

    for name, text in (("evaluate", "kNN 50 %"), ("regimes", "frozen 40 %"), ("dissect", "encoder.stem 12")):
        monkeypatch.setitem(vars(tacit), name, fake(name, text))
    return calls


def test_they_come_after_the_ordinary_table(asked, capsys, tmp_path):
    line = f"evaluate runs/x photos/ --regimes --seed 3 --report page.html --json {tmp_path / 'told.json'}"
    assert run(line.split()) == 0
    assert capsys.readouterr().out == "kNN 50 %\n\nfrozen 40 %\n"
    assert asked["regimes"] == (("runs/x", "photos/"), {"seed": 3})
    assert json.loads((tmp_path / "told.json").read_text()) == {"text": "kNN 50 %", "regimes": {"text": "frozen 40 %"}}


def test_layers_come_last(asked, capsys):
    assert run(["evaluate", "runs/x", "photos/", "--layers", "--regimes", "--as", "image"]) == 0
    assert capsys.readouterr().out == "kNN 50 %\n\nfrozen 40 %\n\nencoder.stem 12\n"
    assert asked["dissect"] == (("runs/x", "photos/"), {"kind": "image"})


def test_nothing_is_trained_unless_asked(asked, capsys):
    assert run(["evaluate", "runs/x", "photos/"]) == 0
    assert "regimes" not in asked and capsys.readouterr().out == "kNN 50 %\n"
