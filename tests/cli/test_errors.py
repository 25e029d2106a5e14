"""A mistake is one sentence and an exit status; a traceback is for those who ask."""

import json
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

import tacit
from tacit.cli import run
from tacit.errors import TacitError, unknown


@pytest.fixture
def fails(monkeypatch):
    """`fails(error)` makes `tacit.inspect` raise it."""

    def prepare(error):
        def inspect(data, *, kind=None):
            raise error

        monkeypatch.setitem(vars(tacit), "inspect", inspect)

    return prepare


def test_a_mistake_is_one_sentence(fails, capsys):
    fails(unknown("method", "simcrl", ["simclr", "npid"]))
    assert run(["inspect", "photos"]) == 1
    out = capsys.readouterr()
    assert out.out == "" and out.err == "tacit: There is no method 'simcrl'; did you mean 'simclr'?\n"


def test_debug_shows_the_traceback(fails, capsys):
    fails(TacitError("photos is empty."))
    assert run(["inspect", "photos", "--debug"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err and err.endswith("tacit: photos is empty.\n")


def test_a_full_disk_is_no_fault_of_ours(fails, capsys):
    fails(OSError(28, "No space left on device", "runs/x"))
    assert run(["inspect", "photos"]) == 1
    assert capsys.readouterr().err.startswith("tacit: No space left on device (runs/x); free some space")


def test_a_fault_of_ours_is_admitted(monkeypatch, capsys):
    ours = {"__file__": tacit.__file__}
    exec(compile("def inspect(data, *, kind=None):\n    1 / 0", tacit.__file__, "exec"), ours)
    monkeypatch.setitem(vars(tacit), "inspect", ours["inspect"])
    assert run(["inspect", "photos"]) == 1
    err = capsys.readouterr().err
    assert "a fault in Tacit" in err and "ZeroDivisionError" in err and "--debug" in err and "Traceback" not in err


def test_a_fault_of_what_the_user_wrote_is_said_by_its_line(fails, capsys):
    fails(ZeroDivisionError("division by zero"))
    assert run(["inspect", "photos"]) == 1
    assert re.fullmatch(
        r"tacit: line \d+ of \S+test_errors.py \(inspect\) led to a ZeroDivisionError: division by zero; mend it there .*\n",
        capsys.readouterr().err,
    )


def test_interruption_has_its_own_status(fails, capsys):
    fails(KeyboardInterrupt("stopped at step 3, saved"))
    assert run(["inspect", "photos"]) == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("pretrian photos", "pretrain"),
        ("inspect photos --jsn x", "--json"),
        ("search t q --tpo 3", "--top"),
        ("embed runs/x photos", "--out"),
        ("pretrain photos --flip", "--flip"),
        ("pretrain photos --epochs 1 --epochs 2", "--epochs"),
        ("demo --seed three", "three"),
    ],
)
def test_wrong_usage_is_answered_with_what_is_right(capsys, line, hint):
    assert run(line.split()) == 2
    err = capsys.readouterr().err
    assert err.startswith("tacit: ") and hint in err and "Traceback" not in err


@pytest.mark.parametrize(
    ("line", "help"), [("cluster t --k 3 --out c.parquet", "tacit cluster --help"), ("frob", "tacit --help")]
)
def test_wrong_usage_says_where_help_is(capsys, line, help):
    assert run(line.split()) == 2
    assert f"`{help}`" in capsys.readouterr().err


def test_an_option_that_is_no_yaml_is_named(capsys):
    assert run(["pretrain", "photos", "--crop", "[0.2, 1"]) == 2
    assert "--crop" in capsys.readouterr().err


def test_a_json_that_cannot_be_written_loses_nothing(monkeypatch, tmp_path, capsys):
    old = tmp_path / "result.json"
    old.write_text(json.dumps("kept"))
    monkeypatch.setitem(
        vars(tacit), "inspect", lambda data, kind=None: SimpleNamespace(drawn=True, shown_by="simclr", trouble=())
    )
    monkeypatch.setattr("json.dumps", lambda *args, **rest: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert run(["inspect", "photos", "--json", str(old)]) == 1
    assert json.loads(old.read_text()) == "kept" and len(list(tmp_path.iterdir())) == 1
    said = capsys.readouterr()
    assert "simclr" in said.out and "No space left" in said.err


def test_nobody_reads_what_is_printed():
    code = """import tacit, tacit.cli
class Much:
    drawn, shown_by, trouble = True, "simclr", ()
    def __str__(self): return "x" * 10**6
tacit.inspect = lambda data, kind=None: Much()
tacit.cli.main(["inspect", "photos"])"""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.returncode == 141 and done.stderr == ""


@pytest.mark.parametrize("asked", [(), ("--debug",)])
def test_a_warning_is_one_line_without_code(asked):
    code = """import sys, warnings, tacit, tacit.cli
def inspect(data, kind=None):
    warnings.warn("Column c holds others.")
    raise tacit.TacitError("Nothing more.")
tacit.inspect = inspect
tacit.cli.main(["inspect", "photos", *sys.argv[1:]])"""
    done = subprocess.run([sys.executable, "-c", code, *asked], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("Column c holds others.") == 1
    assert ("UserWarning" in done.stderr) == bool(asked)
    assert asked or done.stderr == "warning: Column c holds others.\ntacit: Nothing more.\n"
