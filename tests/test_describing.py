"""A method's page holds what its class says, in words and as facts."""

import json

import pytest

from tacit.cli.answer import plain
from tacit.describing import catalogue, describe, typed
from tacit.errors import TacitError
from tacit.methods import find, keys
from tacit.modalities import MODALITIES
from tacit.papers import IN_PAPER


@pytest.mark.parametrize("key", keys())
def test_every_method_has_a_page(key):
    page, method = describe(key), find(key)
    text = str(page)
    assert method.paper.title in text and method.paper.locator in text
    for name, parameter in typed(method).items():
        assert f"--{name.replace('_', '-')} " in text
        assert page.as_dict()["options"][name] == parameter.default
    assert json.loads(json.dumps(plain(page)))["key"] == key


def test_every_method_says_on_which_data_its_paper_trains():
    assert set(IN_PAPER) == set(keys())
    assert all(kinds and set(kinds) <= set(MODALITIES) for kinds in IN_PAPER.values())


def test_what_was_measured_is_possible():
    for method in catalogue():
        assert set(method.measured) <= set(method.runs_on), method.key


def test_a_page_tells_paper_possible_and_measured_apart():
    page = describe("lfr")
    assert page.in_paper == ("image", "series", "table") and set(page.in_paper) < set(page.runs_on)
    assert "Data in the paper: image, series, table\nPossible here: image, vector" in str(page)
    assert json.loads(json.dumps(plain(page)))["measured"] == dict(page.measured)


def test_simclr_is_described_by_its_own_numbers():
    page = describe("simclr")
    assert page.as_dict()["recipe"]["optimizer"] == "lars" and page.recipes["small"]["optimizer"] == "adamw"
    assert {"image", "vector"} <= set(page.views)
    blur = next(option for option in page.views["image"] if option.name == "blur")
    assert blur.default == 0.5 and "probability" in blur.meaning
    assert "--blur 0.5" in str(page) and "--temperature 0.1" in str(page)
    assert "small_resnet" in page.encoders


def test_only_what_can_be_set_is_offered():
    """What is known from the data (mean and std) has no default, and is no option."""
    assert not {"mean", "std"} & {option.name for option in describe("simclr").views["image"]}


def test_a_misspelt_method_is_answered_with_the_nearest():
    with pytest.raises(TacitError, match="'simclr'"):
        describe("simcrl")
