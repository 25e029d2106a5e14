"""`tacit explore` in a process of its own: its address, its token, its end."""

import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.explorer.conftest import made_table


def asked(address: str, token: str) -> int:
    """The status of an answer."""
    try:
        request = urllib.request.Request(f"{address}api/about", headers={"x-tacit-token": token})
        return urllib.request.urlopen(request, timeout=120).status
    except urllib.error.HTTPError as refused:
        return refused.code


def hearing():
    """What runs in the background may be deaf to Ctrl-C, and its children with it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_it_says_where_the_page_is_and_ends_with_ctrl_c(tmp_path):
    table = made_table(tmp_path / "trees.lance", 20)
    command = [sys.executable, "-m", "tacit", "explore", str(table.path), "--no-browser"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=hearing)
    try:
        line = next(line for line in process.stderr if "http://" in line)
        address, _, token = line.split(" at ")[1].split(";")[0].partition("#")
        assert address.startswith("http://127.0.0.1:") and len(token) >= 32
        assert asked(address, token) == 200 and asked(address, "") == 403
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=120) == 130
    finally:
        process.kill()
        process.stderr.close()


@pytest.mark.parametrize("what, said", [(["none.lance"], "There is no table"), (["."], "no run.yaml"), ([], "0 tables")])
def test_what_cannot_be_shown_is_one_sentence(what, said, tmp_path, capsys, monkeypatch):
    from tacit.cli import run

    monkeypatch.chdir(tmp_path)
    assert run(["explore", *what, "--no-browser"]) == 1
    assert said in capsys.readouterr().err


def test_only_what_was_typed_is_passed_on(monkeypatch, tmp_path, capsys):
    import tacit
    from tacit.cli import run

    calls = []

    def told(*what, opened, told, **how):
        opened("http://127.0.0.1:1/#t")
        calls.append((what, how))

    browsed = []
    monkeypatch.setitem(vars(tacit), "explore", told)
    monkeypatch.setattr("webbrowser.open", browsed.append)
    assert run(["explore", "a.lance", "runs/a"]) == 0 and browsed == ["http://127.0.0.1:1/#t"]
    line = "explore a.lance b.lance --columns c.parquet --columns d.parquet --run r --out o --port 9 --seed 3 --no-browser"
    assert run(line.split()) == 0 and len(browsed) == 1
    how = {
        "columns": [Path("c.parquet"), Path("d.parquet")],
        "run": "r",
        "out": Path("o"),
        "port": 9,
        "seed": 3,
    }
    assert calls == [(("a.lance", "runs/a"), {}), (("a.lance", "b.lance"), how)]
    assert "Ctrl-C ends it" in capsys.readouterr().err
