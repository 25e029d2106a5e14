"""What cannot work with a method: one sentence, before anything is trained, and nothing half-written."""

import pytest
import torch

import tacit
from tacit.cli import run
from tacit.data import generated

HOW = "--epochs 1 --batch 16 --device cpu --precision fp32 --quiet --width 8"


@pytest.fixture(scope="module")
def cloth(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cloth") / "photos"
    generated.write(generated.tiny_images(64), folder)
    return folder


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--method swav --prototypes 300", ("300 prototypes", "52 samples", "--prototypes")),
        ("--method byol --teacher-momentum 1.5", ("teacher_momentum is 1.5", "[0, 1]")),
        ("--method moco_v2 --teacher-momentum -0.1", ("teacher_momentum is -0.1", "[0, 1]")),
        ("--method moco_v2 --queue 100", ("100", "16", "--queue")),
        ("--method dino --centre-momentum 2", ("centre_momentum is 2", "[0, 1]")),
        ("--method mae --encoder small_vit --heads 1 --patch 64", ("16 × 16", "64 × 64", "patch")),
        ("--method mae --encoder small_vit --heads 1 --mask-patch 64", ("16 × 16", "64 × 64", "--mask-patch")),
        ("--method mae --encoder small_vit --heads 1 --patch 2 --mask-patch 4", ("16 patches", "64", "--mask-patch 2")),
        ("--method mae --encoder small_resnet", ("small_vit",)),
        ("--method simsiam --hidden 0", ("hidden is 0", "above 0")),
        ("--method barlow_twins --accumulate 2", ("BarlowTwins", "accumulate")),
        ("--method byol --batch 1", ("BYOL", "1", "--batch 2")),
        ("--method simsiam --accumulate 16", ("SimSiam", "1", "--batch 32")),
        ("--method swav --prototypes 5 --queue 100", ("100", "16", "--queue")),
        ("--method swav --small-crops -3", ("small_crops is -3", "-1")),
        ("--method vicreg --variance -1", ("variance is -1", "0 or more")),
        ("--method dino --sharpening 0.05", ("sharpening is 0.05", "a list of 2", "[0.04, 0.07]")),
        ("--method dino --sharpening 0.04,0.07", ("sharpening is '0.04,0.07'", "a list of 2", "[0.04, 0.07]")),
        ("--method dino --sharpening [a,b]", ("sharpening[0] is 'a'", "a number")),
        ("--method dino --sharpening [0.04,.nan]", ("sharpening is", "nan", "above 0")),
    ],
)
def test_one_sentence(cloth, tmp_path, monkeypatch, capsys, options, words):
    monkeypatch.chdir(tmp_path)
    how = HOW.replace("--batch 16 ", "") if "--batch" in options else HOW
    assert run(["pretrain", str(cloth), "--out", "run", *options.split(), *how.split()]) == 1
    said = capsys.readouterr().err.strip()
    assert "Traceback" not in said and said.endswith((".", "?")), said
    for word in words:
        assert word in said, said
    assert not list(tmp_path.rglob("encoder.safetensors"))


class Short(torch.nn.Module):
    """An encoder of one's own that gives less than it says."""

    dim = 16

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 8)

    def forward(self, x):
        return self.layer(x.mean((2, 3)))


class Narrow(Short):
    """And one that does not take these images."""

    def forward(self, x):
        return self.layer(x.flatten(1))


@pytest.mark.parametrize(
    ("encoder", "words"),
    [
        ("Short", "The encoder Short gives (2, 8) for 2 samples and says that dim is 16; let it give samples × dim."),
        ("Narrow", "test_bad_methods.py (forward) led to a RuntimeError: "),
    ],
)
@pytest.mark.parametrize("there", [False, True])
def test_an_encoder_of_one_s_own_that_does_not_fit(cloth, tmp_path, capsys, encoder, words, there):
    """The folder is as free as before, so that the same line can be typed again."""
    out = tmp_path / "run"
    if there:
        out.mkdir()
        (out / "notes.txt").write_text("mine")
    how = HOW.replace(" --width 8", "").split()
    assert run(["pretrain", str(cloth), "--out", str(out), "--encoder", f"{__name__}:{encoder}", *how]) == 1
    said = capsys.readouterr().err.strip()
    assert words in said and "Traceback" not in said and "fault in Tacit" not in said, said
    assert sorted(tmp_path.rglob("*")) == ([out, out / "notes.txt"] if there else [])


def test_refused_in_python_too(cloth, tmp_path):
    with pytest.raises(tacit.TacitError, match=r"it must lie in"):
        tacit.pretrain(cloth, "dino", out=tmp_path / "run", teacher_momentum=7, quiet=True)
