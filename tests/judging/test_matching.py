"""Recall both ways and zero-shot accuracy, by hand and of runs; and what a run on pairs does with one of their parts."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import tacit
from tacit.data.captioned.opening import of_pair
from tacit.data.generated import pairs, tiny_images
from tacit.data.text.opening import from_strings
from tacit.errors import TacitError
from tacit.evaluation.labelled.matching import (
    Correlated,
    cosine,
    dot,
    matching_numbers,
    poincare,
    ranks,
    zero_shot,
)
from tacit.sides import look_of, of_part

NAMES = ("image_to_text", "text_to_image")
QUICK = {"epochs": 1, "batch": 32, "epoch_batches": 2, "warmup": 0, "device": "cpu", "precision": "fp32", "quiet": True}


def test_ranks_by_hand():
    first = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    second = torch.tensor([[1.0, 0.1], [0.9, 0.2], [0.0, 2.0], [1.0, 0.9]])  # the first has two
    owner = torch.tensor([0, 0, 1, 2])
    each = torch.arange(3)
    assert ranks(first, second, each, owner, cosine).tolist() == [0, 0, 0]
    assert ranks(second, first, owner, each, cosine).tolist() == [0, 0, 0, 0]
    assert ranks(first, second[[2, 1, 0, 3]], each, owner, cosine).tolist() == [1, 3, 0]
    same = torch.ones(3, 2)
    assert ranks(same, same, each, each, cosine).tolist() == [2, 2, 2]  # collapsed: nothing is found


def test_numbers_of_several_captions():
    torch.manual_seed(0)
    first = torch.randn(40, 8)
    owner = torch.arange(40).repeat_interleave(2)
    second = first[owner] + 0.01 * torch.randn(80, 8)
    found = {n.name: n for n in matching_numbers(first, second, owner, cosine, NAMES)}
    assert list(found) == [f"{name}_at_{k}" for name in NAMES for k in (1, 5, 10)]
    assert all(n.value == 1 for n in found.values())
    lost = matching_numbers(first, second[torch.randperm(80)], owner, cosine, NAMES)
    assert lost[0].value < 0.2 and lost[3].low <= lost[3].value <= lost[3].high
    assert lost[0].protocol["candidates"] == 80 and lost[3].protocol["candidates"] == 40


def test_zero_shot_names_the_nearest_class():
    images = torch.eye(3)[[0, 1, 2, 2]]
    prompts = [torch.eye(3)[[k, k]] for k in range(3)]
    number = zero_shot(images, prompts, torch.tensor([0, 1, 2, 0]), dot)
    assert number.value == 0.75 and number.protocol["prompts"] == 2 and number.protocol["most common class"] == "50.0 %"
    assert zero_shot(torch.ones(4, 3), prompts, torch.tensor([0, 1, 2, 0]), dot).value == 0  # who cannot choose names none


def test_nearness_in_the_ball_is_ordered_as_distance():
    x, y = 0.5 * torch.rand(4, 3), -0.5 * torch.rand(5, 3)
    room = (1 - x.square().sum(1))[:, None] * (1 - y.square().sum(1))
    far = torch.acosh(1 + 2 * torch.cdist(x, y).square() / room)
    assert torch.equal(poincare(x, y).flatten().argsort(), (-far).flatten().argsort())


def test_canonical_correlations_find_what_is_linear():
    torch.manual_seed(0)
    hidden = torch.randn(400, 4)
    first = torch.cat([hidden @ torch.randn(4, 12), 3 * torch.randn(400, 4)], 1)
    second = torch.cat([hidden @ torch.randn(4, 9), 3 * torch.randn(400, 5)], 1)
    maps = Correlated(first[:300], second[:300])
    u, v = maps(first[300:], 0), maps(second[300:], 1)
    each = torch.arange(100)
    assert float((ranks(u, v, each, each, cosine) < 5).float().mean()) > 0.8


def test_pairs_of_any_kind_are_judged(tmp_path):
    run = tacit.pretrain(pairs(320), "align", out=tmp_path / "run", **QUICK)
    found = tacit.evaluate(run, pairs(320))
    assert {n.name for n in found.representations["raw input"]} == {
        f"{name}_at_{k}" for name in ("first_to_second", "second_to_first") for k in (1, 5, 10)
    }
    assert (
        found.number("raw input", "first_to_second_at_10").value
        > found.number("untrained encoder", "first_to_second_at_10").value
    )
    assert (tmp_path / "run" / "report.html").exists()


@pytest.fixture(scope="module")
def captioned():
    cloth = tiny_images(200)
    said = ("striped along", "striped across", "aslant", "checked")
    return of_pair(cloth, [[f"cloth, {said[k]}", f"{said[k]} {i % 5}"] for i, k in enumerate(cloth.labels.tolist())])


@pytest.mark.parametrize("method", ["convirt", "meru"])
def test_a_run_on_captions_from_end_to_end(captioned, method, tmp_path):
    run = tacit.pretrain(captioned, method, out=tmp_path / "run", first_options={"width": 8}, dim=16, **QUICK)
    found = tacit.evaluate(run, captioned)
    names = [n.name for n in found.representations["this encoder"]]
    assert names[:2] == ["image_to_text_at_1", "image_to_text_at_5"] and names[-1] == "zero_shot"
    assert "cloth" in (tmp_path / "run" / "report.html").read_text()
    json.loads((tmp_path / "run" / "evaluation.json").read_text())
    (tmp_path / "photos").mkdir()
    for i in range(3):
        Image.fromarray(captioned.first.pixels[i]).save(tmp_path / "photos" / f"{i}.png")
    (tmp_path / "words.txt").write_text("checked cloth\nstriped\naslant\n")
    tables = {name: tmp_path / f"{name}.lance" for name in ("pairs", "photos", "words")}
    other = from_strings(["quite another kind of words", "which are cut otherwise"])
    with pytest.raises(TacitError, match="cut into other pieces"):
        of_part(run, look_of(run.method), other, 1)
    assert of_part(run, look_of(run.method), other.fitted(run.facts.more["second"]), 1).shape[0] == 2
    tacit.embed(run, captioned, out=tables["pairs"])
    tacit.embed(run, tmp_path / "photos", out=tables["photos"])
    tacit.embed(run, tmp_path / "words.txt", out=tables["words"])
    by_words = tacit.search(tables["photos"], "a checked cloth", top=3, sheet=tmp_path / "found.png")
    assert len(by_words) == 3 and by_words[0].thumbnail and (tmp_path / "found.png").exists()
    by_image = tacit.search(tables["words"], str(tmp_path / "photos" / "0.png"), top=2)
    assert {hit.text for hit in by_image} < {"checked cloth", "striped", "aslant"}
    again = tacit.search(tables["pairs"], str(tmp_path / "photos" / "0.png"), top=1)
    assert again[0].thumbnail
    with pytest.raises(TacitError, match="no id"):
        tacit.search(tables["photos"], "photos/none.png")
    with pytest.raises(TacitError, match="pairs of image and text"):
        tacit.embed(run, np.zeros((4, 7), np.float32), out=tmp_path / "x.lance")
