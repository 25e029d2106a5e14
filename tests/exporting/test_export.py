"""The verb: what is written, what is refused, and the card."""

import json
import re

import numpy as np
import pytest
import torch
import yaml

from tacit.cli import run as command
from tacit.data.text.opening import from_strings
from tacit.errors import TacitError
from tacit.exporting.card import card
from tacit.exporting.export import export
from tacit.pretraining import pretrain
from tacit.run import Run

QUICK = {"epochs": 1, "batch": 32, "device": "cpu", "precision": "fp32", "quiet": True}


def test_the_card_says_what_was_trained_on_what_and_what_was_measured(trained, cloth):
    told = card(trained, "onnx", "a.onnx")
    matter = yaml.safe_load(told.split("---")[1])
    assert (
        matter["license"] == "unknown" and "simclr" in matter["tags"] and matter["pipeline_tag"] == "image-feature-extraction"
    )
    assert "arXiv:2002.05709" in told and f"`{cloth.name}`" in told and "96 samples" in told
    assert str(cloth.parent) not in told and str(trained.path.parent) not in told
    assert trained.fingerprint() in told and trained.config.data["ids"]["main"] in told
    assert "Nothing yet" in told and "Licence of the weights" in told


def test_the_card_shows_the_judges_numbers(trained, tmp_path):
    import shutil

    shutil.copytree(trained.path, tmp_path / "run")
    number = {
        "name": "knn",
        "value": 0.845,
        "low": 0.82,
        "high": 0.87,
        "protocol": {"data": "/home/somebody/x/", "split": "a fifth"},
        "why": "",
    }
    saved = {
        "representations": {"this encoder": [number], "raw input": [number | {"value": None}]},
        "verdict": ["Above."],
        "notes": [],
    }
    (tmp_path / "run" / "evaluation.json").write_text(json.dumps(saved))
    told = card(Run(tmp_path / "run"), "card", "a.md")
    assert "84.5 % (82.0–87.0)" in told and "On `x`: a fifth." in told and "Above." in told and "raw input" in told
    (tmp_path / "run" / "evaluation.json").write_text("{}")
    with pytest.raises(TacitError, match="evaluate again"):
        card(Run(tmp_path / "run"), "card", "a.md")


def test_the_card_knows_a_curated_manifest(trained, cloth, tmp_path):
    import tacit

    tacit.embed(trained, cloth, out=tmp_path / "t.lance")
    tacit.curate(tmp_path / "t.lance", out=tmp_path / "m.parquet", keep=60)
    run = pretrain(tmp_path / "m.parquet", "simclr", out=tmp_path / "again", encoder="small_resnet", width=4, **QUICK)
    told = card(run, "card", "a.md")
    assert "Curated: the kept rows of `t.lance`" in told and "keep 60" in told and trained.fingerprint() in told
    assert str(tmp_path) not in told and str(trained.path.parent) not in told


def test_the_snippet_of_a_card_runs(trained, cloth, exported):
    (code,) = re.findall(r"```python\n(.*?)```", exported.with_suffix(".md").read_text(), re.S)
    file = sorted(cloth.rglob("*.png"))[0]
    code = code.replace("FILE", repr(str(file))).replace("MODE", "'RGB'").replace('"a.onnx"', repr(str(exported)))
    found = {}
    exec(code, found)
    position = trained.open(cloth).ids.index(str(file.relative_to(cloth)))
    np.testing.assert_allclose(found["vectors"][0], trained.embed(cloth)[position].numpy(), rtol=1e-4, atol=1e-5)


def test_the_card_alone_by_the_command_line(trained, tmp_path, capsys):
    assert command(["export", str(trained.path), "--format", "card", "--out", str(tmp_path / "card.md")]) == 0
    assert "card.md is written" in capsys.readouterr().out and (tmp_path / "card.md").read_text().startswith("---\n")


def test_weights_back_to_timm(cloth, tmp_path):
    import timm

    run = pretrain(cloth, "simclr", out=tmp_path / "run", encoder="timm/test_vit", **QUICK)
    export(run, out=tmp_path / "vit", format="timm")
    again = timm.create_model(f"local-dir:{tmp_path / 'vit'}", pretrained=True, num_classes=0).eval()
    x = torch.randn(2, *run.facts.shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(again(x), Run(run.path, "cpu").encoder(x), rtol=1e-5, atol=1e-5)
    assert {file.name for file in (tmp_path / "vit").iterdir()} == {"config.json", "model.safetensors", "README.md"}
    with pytest.raises(TacitError, match="is there already"):
        export(run, out=tmp_path / "vit", format="timm")
    export(run, out=tmp_path / "vit", format="timm", overwrite=True)


def test_a_stem_that_timm_has_not_is_refused(cloth, tmp_path):
    run = pretrain(cloth, "simclr", out=tmp_path / "run", encoder="timm/resnet10t", small_stem="yes", **QUICK)
    with pytest.raises(TacitError, match="first layers for small images"):
        export(run, out=tmp_path / "r", format="timm")
    assert not (tmp_path / "r").exists()


def test_weights_back_to_transformers(tmp_path):
    transformers = pytest.importorskip("transformers")
    from tacit.data.sounds.generated import diphthongs

    run = pretrain(diphthongs(40), "simclr", out=tmp_path / "run", encoder="transformers_audio", seconds=0.2, **QUICK)
    export(run, out=tmp_path / "audio", format="transformers")
    again = transformers.AutoModel.from_pretrained(tmp_path / "audio").eval()
    x = torch.randn(2, 4000, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        wanted = Run(run.path, "cpu").encoder.model(x).last_hidden_state
        torch.testing.assert_close(again(x).last_hidden_state, wanted, rtol=1e-4, atol=1e-5)


def test_a_text_model_back_to_transformers_and_to_onnx(home, tmp_path):
    """From a text to its vector by AutoTokenizer and AutoModel, and by onnxruntime: what `tacit embed` writes."""
    import onnxruntime
    import transformers
    from tokenizers import Tokenizer

    run = pretrain(home / "corpus.yaml", "simcse", out=tmp_path / "run", encoder="transformers", **QUICK)
    texts = ["ka", *(home / "corpus.txt").read_text().splitlines()[:5]]
    wanted = run.embed(from_strings(texts)).numpy()
    export(run, out=tmp_path / "bert", format="transformers")
    model = transformers.AutoModel.from_pretrained(tmp_path / "bert").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "bert")
    padded = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        hidden = model(input_ids=padded["input_ids"], attention_mask=padded["attention_mask"]).last_hidden_state
    inside = padded["attention_mask"].clone()
    inside[:, 0] = 0
    inside[torch.arange(len(texts)), padded["attention_mask"].sum(1) - 1] = 0  # without [CLS] and [SEP]
    found = (hidden * inside[..., None]).sum(1) / inside.sum(1, keepdim=True)
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-4, atol=1e-4)
    export(run, out=tmp_path / "a.onnx")
    fast = Tokenizer.from_file(str(tmp_path / "a.tokenizer.json"))
    rows = [fast.encode(text, add_special_tokens=False).ids[:30] for text in texts]
    ids, mask = (np.zeros((len(rows), max(map(len, rows))), np.int64) for _ in range(2))
    for place, row in enumerate(rows):
        ids[place, : len(row)], mask[place, : len(row)] = row, 1
    session = onnxruntime.InferenceSession(str(tmp_path / "a.onnx"), providers=["CPUExecutionProvider"])
    (vectors,) = session.run(None, {"input_ids": ids, "attention_mask": mask})
    np.testing.assert_allclose(vectors, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"format": "timm"}, "no model of timm"),
        ({"format": "transformers"}, "no model of transformers"),
        ({"format": "onxx"}, "did you mean 'onnx'"),
        ({"part": "third"}, "There is no part"),
        ({"part": "second"}, "runs on pairs"),
        ({"format": "timm", "unit": True}, "--unit is of --format onnx"),
        ({"format": "card", "out": "card.txt"}, "does not end in .md"),
        ({"out": "net.pt"}, "does not end in .onnx"),
        ({"data": "nowhere"}, "nowhere"),
    ],
)
def test_bad_input_is_named_and_leaves_nothing(trained, tmp_path, options, said):
    out = tmp_path / options.get("out", "out" if options.get("format") in ("timm", "transformers") else "out.onnx")
    with pytest.raises(TacitError, match=said) as error:
        export(trained, **{**options, "out": out})
    assert "\n" not in str(error.value) and not [*tmp_path.iterdir()]


def test_what_is_there_is_not_touched(trained, tmp_path):
    (tmp_path / "a.onnx").write_text("mine")
    with pytest.raises(TacitError, match="is there already"):
        export(trained, out=tmp_path / "a.onnx")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.txt").write_text("mine")
    with pytest.raises(TacitError, match="no export"):
        export(trained, out=tmp_path / "folder", format="timm", overwrite=True)
    assert (tmp_path / "a.onnx").read_text() == "mine" and (tmp_path / "folder" / "mine.txt").exists()


def test_rows_of_nodes_are_no_function(tmp_path):
    from tacit.data.networks.generated import communities

    run = pretrain(communities(60), "deepwalk", out=tmp_path / "run", width=8, walks=2, length=5, device="cpu", quiet=True)
    with pytest.raises(TacitError, match="a row for each of the 60 nodes"):
        export(run, out=tmp_path / "a.onnx")
