"""How a number is shown and stored."""

import json
import math

import pytest

from tacit.evaluation.number import NAN, Number, figures, missing


def test_shown():
    assert Number("knn", 0.8421, 0.819, 0.863).shown() == "84.2 % (81.9–86.3)"
    assert str(Number("uniformity", -3.214, -3.3, -3.1)) == "uniformity −3.21 (−3.30 to −3.10)"
    assert Number("rankme", 90.21, NAN, NAN).shown() == "90.2"


def test_missing_says_why_and_stores_as_json():
    number = missing("knn", "there are no labels.", k=20)
    assert str(number) == "knn –: there are no labels."
    stored = json.loads(json.dumps(number.as_dict(), allow_nan=False))
    assert stored == {
        "name": "knn",
        "value": None,
        "low": None,
        "high": None,
        "protocol": {"k": 20},
        "why": "there are no labels.",
    }
    assert math.isnan(number.value)


@pytest.mark.parametrize(
    ("x", "text"), [(0.0, "0.00"), (1234.5, "1234"), (90.21, "90.2"), (0.01234, "0.0123"), (-2.0, "−2.00"), (1e-9, "0.0000")]
)
def test_figures(x, text):
    assert figures(x) == text


def test_a_negative_share_has_a_real_minus_and_no_two_dashes():
    assert Number("ari", -0.002, -0.003, 0.001).shown() == "−0.2 % (−0.3 to 0.1)"
