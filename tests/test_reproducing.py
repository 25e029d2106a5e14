"""Claims are run, stored, gone on with and judged."""

import json
from dataclasses import replace

import numpy as np
import pytest

import tacit
from tacit import claims, reproducing
from tacit.claims.claim import Claim

MADE = {"machine": "m", "torch": "t", "experiment": "e"}


class Planted:
    """An arm that gives what it is told, counts how often it was asked, and may be interrupted."""

    def __init__(self, value: float, fail: bool = False):
        self.value, self.asked, self.fail = value, 0, fail

    def measure(self, seed, quick):
        self.asked += 1
        if self.fail:
            raise tacit.TacitError("The set is not there; fetch it.")
        return {"knn": self.value + 0.01 * seed}


@pytest.fixture
def planted(monkeypatch):
    def plant(low: float, high: float, fail: bool = False) -> tuple[Planted, Planted]:
        arms = Planted(low), Planted(high, fail)
        found = Claim(
            "s", "h", {"low": arms[0], "high": arms[1]}, "knn", lambda f: {"higher": np.bool_(f.above("high", "low"))}
        )
        monkeypatch.setattr(claims, "find", lambda key: found)
        return arms

    return plant


def test_a_claim_that_holds_and_one_that_does_not(planted, tmp_path):
    planted(10, 20)
    (verdict,) = tacit.reproduce(["dcl"], out=tmp_path / "a")
    assert verdict.verdict == "holds" and verdict.conditions == {"higher": True}
    planted(20, 10)
    (verdict,) = tacit.reproduce(["dcl"], out=tmp_path / "b")
    assert verdict.verdict == "does not hold at this scale" and "no  higher" in str(verdict)
    stored = json.loads((tmp_path / "b" / "dcl.json").read_text())
    assert len(stored["rows"]) == 6 and stored["command"] == "tacit reproduce dcl" and stored["conditions"] == {"higher": False}


def test_what_was_measured_is_not_measured_again_unless_the_code_changed(planted, tmp_path, monkeypatch):
    low, high = planted(10, 20)
    high.measure = interrupted
    with pytest.raises(KeyboardInterrupt):
        tacit.reproduce(["dcl"], out=tmp_path)
    assert low.asked == 1  # stored before the other was begun
    del high.measure
    tacit.reproduce(["dcl"], out=tmp_path)
    assert (low.asked, high.asked) == (4, 4)  # three seeds, and the quick form
    assert tacit.reproduce(["dcl"], stale=True, out=tmp_path) == [] and low.asked == 4
    monkeypatch.setattr(reproducing, "hash_of", lambda module: "other code")
    low.value = 11
    tacit.reproduce(["dcl"], stale=True, out=tmp_path)
    assert (low.asked, high.asked) == (9, 9)
    after = json.loads((tmp_path / "dcl.json").read_text())
    assert after["quick"] == {"low": {"knn": 11}, "high": {"knn": 20}} and "again" not in after


def test_a_result_stands_where_the_quick_form_gives_the_same_numbers(planted, tmp_path, monkeypatch):
    arms = planted(10, 20)
    tacit.reproduce(["dcl"], out=tmp_path)
    before = json.loads((tmp_path / "dcl.json").read_text())
    monkeypatch.setattr(reproducing, "hash_of", lambda module: "other code")
    assert not reproducing.fresh(tmp_path / "dcl.json", "dcl")
    (verdict,) = tacit.reproduce(["dcl"], stale=True, out=tmp_path)
    assert [arm.asked for arm in arms] == [5, 5] and verdict.verdict == "holds"
    after = json.loads((tmp_path / "dcl.json").read_text())
    assert after["rows"] == before["rows"] and after["code"] == "other code" and after["again"] == before["commit"]
    assert reproducing.fresh(tmp_path / "dcl.json", "dcl")
    tacit.reproduce(["dcl"], out=tmp_path)
    assert json.loads((tmp_path / "dcl.json").read_text()) == after and arms[0].asked == 5


def test_another_experiment_is_measured_anew_whatever_its_quick_form_gives(planted, tmp_path, monkeypatch):
    low, _ = planted(10, 20)
    tacit.reproduce(["dcl"], out=tmp_path)
    monkeypatch.setattr(reproducing, "hash_of", lambda module: "other code")
    monkeypatch.setattr(reproducing, "experiment_of", lambda module: "four times the epochs")
    tacit.reproduce(["dcl"], stale=True, out=tmp_path)
    assert low.asked == 4 + 4
    assert json.loads((tmp_path / "dcl.json").read_text())["experiment"] == "four times the epochs"


def test_without_a_quick_form_of_then_all_is_measured(planted, tmp_path, monkeypatch):
    low, _ = planted(10, 20)
    tacit.reproduce(["dcl"], out=tmp_path)
    stored = json.loads((tmp_path / "dcl.json").read_text())
    del stored["quick"]
    (tmp_path / "dcl.json").write_text(json.dumps(stored))
    monkeypatch.setattr(reproducing, "hash_of", lambda module: "other code")
    tacit.reproduce(["dcl"], stale=True, out=tmp_path)
    assert low.asked == 4 + 4


@pytest.mark.parametrize(("moved", "stands"), [(0.009, True), (0.02, False)])
def test_what_turned_by_rounding_is_the_same(moved, stands, planted, tmp_path, monkeypatch):
    low, _ = planted(10, 20)
    tacit.reproduce(["dcl"], out=tmp_path)
    monkeypatch.setattr(reproducing, "hash_of", lambda module: "other code")
    low.value, low.asked = 10 + moved, 0
    lines: list[str] = []
    tacit.reproduce(["dcl"], stale=True, out=tmp_path, told=lines.append)
    assert low.asked == (1 if stands else 1 + 4)
    assert lines[0] == f"dcl: its quick form gives {'the same numbers' if stands else 'other numbers, so it is measured anew'}"


def test_seconds_need_not_be_the_same(monkeypatch):
    claim = Claim("s", "h", {"arm": Planted(10)}, "knn", lambda f: {})
    rows = [{"arm": "arm", "seed": 0, "measures": {"knn": 10.0, "seconds": 3.0}}]
    stored = {"verdict": "holds", "metric": "knn", **MADE, "rows": rows}
    about = {"key": "x", "metric": "knn", **MADE}
    monkeypatch.setattr(claim.arms["arm"], "measure", lambda seed, quick: {"knn": 10.0, "seconds": 2.0})
    for then, same in (({"knn": 10.0, "seconds": 9.0}, True), ({"knn": 10.0}, False), ({"knn": 9.0, "seconds": 2.0}, False)):
        assert reproducing._stands(stored | {"quick": {"arm": then}}, claim, about, lambda line: None) == same


@pytest.mark.parametrize(("compared", "stands"), [("linear", True), ("auroc", False)])
def test_another_measure_may_be_compared_if_it_was_taken(compared, stands, monkeypatch):
    claim = Claim("s", "h", {"arm": Planted(10)}, compared, lambda f: {})
    taken = {"knn": 10.0, "linear": 12.0}
    rows = [{"arm": "arm", "seed": 0, "measures": taken}]
    stored = {"verdict": "holds", "metric": "knn", **MADE, "rows": rows, "quick": {"arm": taken}}
    monkeypatch.setattr(claim.arms["arm"], "measure", lambda seed, quick: taken)
    about = {"key": "x", "metric": compared, **MADE}
    assert reproducing._stands(stored, claim, about, lambda line: None) == stands


def interrupted(seed, quick):
    raise KeyboardInterrupt


def test_a_mistake_is_an_error_and_no_verdict(planted, tmp_path):
    planted(10, 20, fail=True)
    (verdict,) = tacit.reproduce(["dcl"], out=tmp_path)
    assert verdict.verdict == "error" and verdict.error == "The set is not there; fetch it."
    assert not reproducing.fresh(tmp_path / "dcl.json", "dcl")


def test_a_mistake_leaves_an_earlier_result_as_it_is(planted, tmp_path, monkeypatch):
    planted(10, 20)
    tacit.reproduce(["dcl"], out=tmp_path)
    before = (tmp_path / "dcl.json").read_bytes()
    monkeypatch.setattr(reproducing, "hash_of", lambda module: "another")
    planted(10, 20)[0].fail = True
    (verdict,) = tacit.reproduce(["dcl"], out=tmp_path)
    assert verdict.verdict == "error" and (tmp_path / "dcl.json").read_bytes() == before


def test_a_mistake_in_seeds_that_were_added_is_told_and_keeps_what_was_measured(planted, tmp_path, monkeypatch):
    _, high = planted(10, 20)
    tacit.reproduce(["dcl"], out=tmp_path)
    more = replace(claims.find("dcl"), seeds=claims.find("dcl").seeds + 2)
    monkeypatch.setattr(claims, "find", lambda key: more)
    monkeypatch.setattr(reproducing, "hash_of", lambda module: "another")
    monkeypatch.setattr(reproducing, "_stands", lambda *all: True)
    high.fail = True
    (verdict,) = tacit.reproduce(["dcl"], out=tmp_path)
    saved = json.loads((tmp_path / "dcl.json").read_text())
    assert verdict.verdict == saved["verdict"] == "error" and "The set is not there" in saved["error"]
    assert len(saved["rows"]) == 2 * (more.seeds - 2) + 1  # one arm of the first seed that was added


def test_two_do_not_measure_into_one_folder_at_once(planted, tmp_path):
    def meanwhile(line):
        with pytest.raises(tacit.TacitError, match="Another `tacit reproduce` is measuring"):
            tacit.reproduce(["dcl"], out=tmp_path)
        heard.append(line)

    heard: list[str] = []
    planted(10, 20)
    tacit.reproduce(["dcl"], out=tmp_path, told=meanwhile)
    assert len(heard) == 6 and tacit.reproduce(["dcl"], out=tmp_path)


def test_a_broken_result_is_named(tmp_path):
    (tmp_path / "dcl.json").write_text("{")
    with pytest.raises(tacit.TacitError, match="is no result of a claim"):
        tacit.reproduce(["dcl"], out=tmp_path)


@pytest.mark.parametrize("key", list(claims.listing()))
def test_every_claim_runs_in_quick_form(key, tmp_path):
    (verdict,) = tacit.reproduce([key], quick=True, out=tmp_path)
    claim = claims.find(key)
    assert verdict.verdict.startswith("runs") and list(verdict.arms) == list(claim.arms)
    assert claim.rule(reproducing.Found(verdict.arms, claim.metric))  # the rule reads what was measured
    assert (tmp_path / f"{key}.quick.json").exists()
