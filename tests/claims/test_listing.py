"""Every claim is a row of the catalogue, says what it must, and refuses what is unclear."""

import csv

import pytest

from tacit import claims
from tacit.claims.claim import Claim
from tacit.errors import TacitError
from tacit.methods import keys


def catalogue() -> dict[str, dict[str, str]]:
    with (claims.FOLDER / "catalogue.tsv").open(encoding="utf-8", newline="") as file:
        return {row["key"]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}


def test_the_catalogue_is_whole():
    rows = catalogue()
    assert len(rows) == 263
    assert all(row["title"] and row["claim"] and row["place"] and row["year"].isdigit() for row in rows.values())


@pytest.mark.parametrize("key", list(claims.listing()))
def test_a_claim_is_a_row_and_says_what_it_must(key):
    claim = claims.find(key)
    assert isinstance(claim, Claim) and claim.says and claim.here and len(claim.arms) > 1 and claim.seeds >= 1
    assert catalogue()[key]["place"].endswith(claims.listing()[key])


def test_every_method_of_the_catalogue_has_its_claim():
    assert {key for key in keys() if key in catalogue()} <= set(claims.listing())


@pytest.mark.parametrize(
    ("keys", "room", "everything", "said"),
    [
        (["simsam"], None, False, "did you mean 'simsiam'"),
        ([], "contrasts", False, "contrast"),
        ([], None, False, "claims by key, or --room ROOM, or --all"),
        (["dcl"], "contrast", False, "claims by key, or --room ROOM, or --all"),
    ],
)
def test_what_is_unclear_is_refused(keys, room, everything, said):
    with pytest.raises(TacitError, match=said):
        claims.chosen(keys, room, everything)


def test_a_room_and_all():
    assert claims.chosen([], "likelihood", False) == ["vgae"]
    assert claims.chosen([], None, True) == list(claims.listing())
