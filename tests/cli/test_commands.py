"""Every command calls the public function of its name with what was typed, and with nothing that was not."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

import tacit
from tacit.cli import main, run
from tacit.demo_story import Demo


class Page(SimpleNamespace):
    shown_by = "simclr"
    trouble = ()

    def __str__(self):
        return self.text

    def as_dict(self):
        return {"text": self.text}


class Table:
    path, provenance = Path("photos.lance"), SimpleNamespace(dim=64)

    def __len__(self):
        return 12


class Hit(NamedTuple):
    id: str
    score: float
    label: str = ""
    text: str | None = None


class Facts(NamedTuple):
    key: str
    room: str
    year: int
    views: str
    in_paper: tuple[str, ...]
    runs_on: tuple[str, ...]
    measured: dict[str, str]
    checked: str


RUN = SimpleNamespace(path=Path("runs/x"), config={"method": "simclr"})
LISTED = [
    Facts("simclr", "contrast", 2020, "Pair", ("image",), ("image", "vector"), {"image": "docs/numbers.md#image"}, "a/b@c"),
    Facts("npid", "contrast", 2018, "Single", ("image",), (), {}, ""),
]
RESULTS = {
    "inspect": Page(text="12 images", drawn=True),
    "preview": Path("preview.png"),
    "pretrain": RUN,
    "evaluate": Page(text="kNN 50 %"),
    "embed": Table(),
    "search": [Hit("a.png", 1.0), Hit("folder/b.png", 0.25)],
    "curate": Page(text="10 of the 12 rows are kept"),
    "fit": Page(text="kind: sea for 3 classes", path="heads/kind"),
    "predict": Page(text="p.csv holds 12 predictions"),
    "catalogue": LISTED,
    "describe": Page(text="SimCLR: two views", key="simclr"),
    "compare": Page(text="b is best", names=["runs/b @ stage-1-epoch-2", "runs/a"]),
    "doctor": Page(text="nothing is wrong", finished=True, faults=[]),
    "reproduce": [Page(text="dcl: holds", error="")],
    "demo": Demo(
        RUN,
        Path("here/images"),
        Page(text="kNN 50 %"),
        Path("here/images.lance"),
        "test/A/00004.png",
        [Hit("a.png", 1.0, "A"), Hit("b.png", 0.5, "B")],
        Path("here/search.png"),
        Path("here/run/report.html"),
        61.7,
    ),
}


@pytest.fixture
def asked(monkeypatch):
    """What each public function was called with, last."""
    calls = {}

    def fake(name):
        def function(*args, **kwargs):
            calls[name] = (args, kwargs)
            return RESULTS[name]

        return function

    for name in RESULTS:
        monkeypatch.setitem(vars(tacit), name, fake(name))
    return calls


def said(capsys, line, status=0):
    assert run(line.split()) == status
    return capsys.readouterr()


def test_inspect(asked, capsys):
    out = said(capsys, "inspect photos --as image")
    assert asked["inspect"] == (("photos",), {"kind": "image"})
    assert out.out == "12 images\n"
    assert out.err == "Next: tacit preview photos --method simclr\n"


def test_inspect_does_not_send_on_what_would_be_refused(monkeypatch, capsys):
    found = Page(text="50 vectors", kind="vector", drawn=True, trouble=["00003"])
    monkeypatch.setitem(vars(tacit), "inspect", lambda data, kind=None: found)
    assert "remove the rows named above or fill them in" in said(capsys, "inspect rows.npy").err


def test_preview_passes_options_of_the_views(asked, capsys):
    said(capsys, "preview photos --method npid --out sheet.png --count 4 --blur 0.5")
    assert asked["preview"] == (("photos",), {"method": "npid", "out": Path("sheet.png"), "count": 4, "blur": 0.5})


def test_pretrain_passes_only_what_was_typed(asked, capsys):
    out = said(capsys, "pretrain photos")
    assert asked["pretrain"] == (("photos",), {"resume": False, "quiet": False})
    assert "runs/x" in out.out and out.err == "Next: tacit evaluate runs/x photos\n"


def test_pretrain_passes_everything_by_its_own_name(asked):
    line = (
        "pretrain photos --method simclr --out runs/x --encoder timm/vit --init runs/y --minutes 20 --recipe small --seed 3 "
        "--device cpu --precision bf16 --devices 2 --size 32 --quiet --as image --lr 1e-3 --weight-decay 0 --crop [0.2,1] "
        "--labelled few/ --min-temperature -1 --flip false --optimizer=sgd"
    )
    assert run(line.split()) == 0
    (args, kwargs) = asked["pretrain"]
    assert args == ("photos",)
    assert kwargs == {
        "method": "simclr", "out": Path("runs/x"), "encoder": "timm/vit", "init": "runs/y", "minutes": 20.0,
        "recipe": "small", "seed": 3, "device": "cpu", "precision": "bf16", "devices": 2, "size": 32, "quiet": True,
        "kind": "image", "resume": False, "lr": 0.001, "weight_decay": 0, "crop": [0.2, 1], "labelled": "few/",
        "min_temperature": -1, "flip": False, "optimizer": "sgd",
    }  # fmt: skip


def test_resuming_needs_no_data(asked):
    assert run(["pretrain", "--resume", "--out", "runs/x"]) == 0
    assert asked["pretrain"] == ((None,), {"out": Path("runs/x"), "resume": True, "quiet": False})


@pytest.mark.parametrize("line", ["pretrain", "pretrain --resume"])
def test_pretraining_nothing_is_named(asked, capsys, line):
    assert "--out" in said(capsys, line, status=2).err
    assert "pretrain" not in asked


def test_evaluate(asked, capsys):
    out = said(capsys, "evaluate runs/x photos/ --report report.html --device cpu")
    assert asked["evaluate"] == (("runs/x", "photos/"), {"report": Path("report.html"), "device": "cpu"})
    assert out.out == "kNN 50 %\n" and out.err == "Next: tacit embed runs/x photos/ --out photos.lance\n"


def test_curate_passes_only_what_was_typed(asked, capsys):
    out = said(capsys, "curate photos.lance --keep 10 --balance --drop-duplicates --out manifest.parquet")
    options = {"out": Path("manifest.parquet"), "keep": 10, "balance": True, "drop_duplicates": True}
    assert asked["curate"] == (("photos.lance",), options)
    assert out.out == "10 of the 12 rows are kept\n" and out.err == "Next: tacit pretrain manifest.parquet --out runs/curated\n"
    line = "curate t.lance --out m.parquet --typical --hamming 6 --within-folders --similar 0.9 --far 2 --seed 4 --overwrite"
    assert run(line.split()) == 0
    assert asked["curate"][1] == {
        "out": Path("m.parquet"), "typical": True, "hamming": 6, "within_folders": True, "similar": 0.9, "far": 2.0, "seed": 4,
        "overwrite": True,
    }  # fmt: skip


def test_doctor(asked, capsys):
    out = said(capsys, "doctor runs/a")
    assert asked["doctor"] == (("runs/a",), {})
    assert "nothing is wrong" in out.out and "tacit evaluate runs/a DATA" in out.err


def test_compare(asked, capsys):
    out = said(capsys, "compare runs/a runs/b --data photos --samples 100")
    assert asked["compare"] == ((("runs/a", "runs/b"),), {"data": "photos", "samples": 100})
    assert out.out == "b is best\n" and out.err == "Next: tacit evaluate runs/b DATA\n"
    assert "RUN" in said(capsys, "compare", status=2).err


def test_reproduce(asked, capsys, monkeypatch):
    out = said(capsys, "reproduce dcl npid --stale --out there")
    (keys,), options = asked["reproduce"]
    options.pop("told")("one line")
    assert keys == ("dcl", "npid")
    assert options == {"everything": False, "stale": True, "quick": False, "out": Path("there")}
    assert out.out == "dcl: holds\n" and capsys.readouterr().err == "one line\n"
    monkeypatch.setitem(RESULTS, "reproduce", [Page(text="dcl: error", error="no data")])
    said(capsys, "reproduce --all", status=1)
    assert asked["reproduce"][1]["everything"] is True


def test_embed(asked, capsys):
    out = said(capsys, "embed runs/x photos --out photos.lance --batch 8")
    (places, options), how = asked["embed"], {"overwrite": False, "append": False, "renew": False, "tokens": False}
    told = options.pop("told")
    assert places == ("runs/x", "photos") and options == {"out": "photos.lance", "batch": 8, **how}
    assert out.out == "photos.lance holds 12 vectors of 64 numbers.\n"
    assert out.err == "Next: tacit search photos.lance QUERY --top 10\n"
    told("so many are there")
    assert capsys.readouterr().err == "so many are there\n"


def test_fit_and_predict(asked, capsys):
    out = said(
        capsys, "fit runs/x labels.csv --out heads/kind --data photos --head sea --abstain 0.05 --folds 3 --steps 7 --seed 2"
    )
    wanted = {"out": Path("heads/kind"), "data": "photos", "head": "sea", "abstain": 0.05, "folds": 3, "steps": 7, "seed": 2}
    assert asked["fit"] == (("runs/x", "labels.csv"), wanted)
    assert out.out == "kind: sea for 3 classes\n"
    assert out.err == "Next: tacit predict heads/kind DATA --out predictions.csv\n"
    said(capsys, "fit runs/x labels.csv --out heads/kind")
    assert asked["fit"][1] == {"out": Path("heads/kind")}
    out = said(capsys, "predict heads/kind new --out p.csv --run runs/y --probabilities --batch 8 --as image")
    wanted = {"out": Path("p.csv"), "probabilities": True, "run": "runs/y", "batch": 8, "kind": "image"}
    assert asked["predict"] == (("heads/kind", "new"), wanted) and out.out == "p.csv holds 12 predictions\n"


def test_search_prints_ids_and_scores_aligned(asked, capsys):
    out = said(capsys, "search photos.lance query.jpg --top 2")
    places, options = asked["search"]
    assert places == ("photos.lance", "query.jpg") and options.pop("told")
    assert options == {"sheet": Path("search.png"), "top": 2, "exact": False, "hybrid": False, "funnel": False}
    assert out.out.splitlines()[:2] == ["a.png          1.0000", "folder/b.png   0.2500"]


def test_methods(asked, capsys):
    """Of each kind of data: what is in the paper, possible and measured, apart; a kind's name stands above its marks."""
    lines = said(capsys, "methods").out.splitlines()
    assert [line.split()[-1] for line in lines[:2]] == ["image", "vector"] and lines[2].startswith("contrast")
    assert lines[3].split() == ["simclr", "2020", "✓", "P●", "·"] and lines[4].split() == ["npid", "2018", "P"]
    at = lines[0].index("image")
    assert lines[3][at - 1 : at + 1] == "P●" and lines[3][lines[1].index("vector")] == "·"
    assert max(map(len, lines)) <= 80
    assert said(capsys, "methods simclr").out == "SimCLR: two views\n"


def test_help_lists_the_options_of_the_method_that_was_named(asked, capsys):
    out = said(capsys, "pretrain --help --method simclr").out
    assert "--minutes" in out and out.endswith("SimCLR: two views\n")
    assert asked["describe"] == (("simclr",), {}) and "pretrain" not in asked


def test_demo(asked, capsys):
    out = said(capsys, "demo here --seed 1 --quiet").out
    assert asked["demo"] == ((), {"out": Path("here"), "seed": 1, "quiet": True})
    assert (
        out.startswith("kNN 50 %\n") and "The 2 nearest of test/A/00004.png: 1 show the same letter (here/search.png)." in out
    )
    assert "62 seconds" in out and "here/run/report.html" in out
    assert out.splitlines()[-1] == "  tacit search mine.lance here/images/test/A/00004.png --top 10"


@pytest.mark.parametrize(
    "line",
    [
        "inspect d",
        "preview d",
        "pretrain d",
        "evaluate r d",
        "embed r d --out t",
        "search t q",
        "methods",
        "methods simclr",
        "demo",
    ],
)
def test_every_command_writes_its_result(asked, tmp_path, line):
    file = tmp_path / "deep" / "result.json"
    assert run([*line.split(), "--json", str(file)]) == 0
    assert json.loads(file.read_text())
    assert [found.name for found in file.parent.iterdir()] == ["result.json"]  # nothing is left beside it


def test_the_list_of_methods_as_json(asked, tmp_path):
    run(["methods", "--json", str(tmp_path / "m.json")])
    first = json.loads((tmp_path / "m.json").read_text())[0]
    assert first["key"] == "simclr" and first["runs_on"] == ["image", "vector"]


def test_python_runs_it_as_a_module():
    ran = subprocess.run([sys.executable, "-m", "tacit", "--version"], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout.strip()) == (0, version("tacit"))


def test_a_method_of_ones_own_is_found_in_the_current_folder(tmp_path, monkeypatch, capsys):
    named = "paper, views, recipe, step = SimCLR.paper, SimCLR.views, SimCLR.recipe, SimCLR.step"
    source = f"from tacit import Method\nfrom tacit.methods.contrast.simclr import SimCLR\nclass Mine(Method):\n    {named}\n"
    (tmp_path / "of_ones_own.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place])
    with pytest.raises(SystemExit) as left:
        main(["methods", "of_ones_own:Mine"])
    assert left.value.code == 0 and "Mine" in capsys.readouterr().out
