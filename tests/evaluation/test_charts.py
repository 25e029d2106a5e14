"""Charts: ticks, scales, and valid XML whatever comes."""

import math
import xml.etree.ElementTree as xml
from itertools import pairwise

import numpy as np
import pytest

from tacit.evaluation import charts
from tacit.evaluation.charts import bands, curve, distributions, interval, profile, scatter, short, spectrum, ticks


def drawn(svg):
    return xml.fromstring(f"<div>{svg}</div>")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 10, [0, 2, 4, 6, 8, 10]), (0.13, 0.29, [0.15, 0.2, 0.25]), (-1, 1, [-1, -0.5, 0, 0.5, 1]), (3, 3, [3])],
)
def test_ticks(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


def test_an_axis_has_two_ticks_at_least():
    """Steps of 50 would leave 2500 alone."""
    assert ticks(2455, 2540, 4) == [2460, 2480, 2500, 2520, 2540]


@pytest.mark.parametrize(
    ("x", "text"), [(0, "0"), (0.05, "0.05"), (12000, "12k"), (2e-5, "2e−5"), (3e-4, "3e−4"), (2.5e6, "2.5M"), (-3.0, "−3")]
)
def test_short(x, text):
    assert short(x) == text


def test_curve_scales_to_its_frame():
    line = drawn(curve("loss", [0, 1, 2], [0.0, 10.0, 5.0])).find(".//polyline")
    points = [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]
    assert points[0][0] == charts.LEFT and points[2][0] == charts.WIDTH - charts.RIGHT
    assert points[0][1] == charts.HEIGHT - charts.BOTTOM  # zero is the floor
    assert points[1][1] < points[2][1] < points[0][1]  # up is less


def test_long_curves_are_averaged_and_shaded():
    svg = drawn(curve("loss", range(5000), np.random.default_rng(0).normal(size=5000)))
    assert len(svg.find(".//polyline").get("points").split()) == charts.BINS
    assert svg.find(".//polygon") is not None


@pytest.mark.parametrize("values", [[], [math.nan], [1.0], [2.0, 2.0], [1.0, math.inf, 3.0], [-1e9, 1e9]])
def test_curves_of_anything(values):
    text = curve("<loss>", range(len(values)), values)
    drawn(text)
    assert "nan" not in text and "inf " not in text


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [1.0], [1.0, 0.5, 0.0], list(range(5000))])
def test_spectra_of_anything(values):
    text = spectrum(values)
    drawn(text)
    assert "nan" not in text


def test_scatter():
    points = np.random.default_rng(0).normal(size=(60, 2))
    points[3] = np.nan
    labels = [f"class {i % 30}" for i in range(59)] + [""]
    svg = drawn(scatter(points, labels, [f"id<{i}>" for i in range(60)]))
    assert len(svg.findall(".//title")) == 59
    assert svg.find(".//title").text == "id<0> · class 0"
    names = [text.text for text in svg.findall(".//text")]
    assert len(names) == len(set(names)) == charts.COLOURS * len(charts.SHAPES)
    looks = {(g.get("class"), g[0].tag) for g in svg.findall(".//g")}
    assert len(looks) == 19  # six colours of circle, square and path (two shapes), and grey


def test_labels_keep_apart():
    found = charts._apart({f"label {i}": (100.0, 100.0) for i in range(8)}, 760, 520)
    heights = sorted(y for _, y in found.values())
    assert min(b - a for a, b in pairwise(heights)) > 15


def test_scatter_without_labels_or_extent():
    svg = drawn(scatter(np.zeros((4, 2)), [""] * 4, list("abcd")))
    assert len(svg.findall(".//circle")) == 4 and not svg.findall(".//text")
    drawn(scatter(np.full((2, 2), np.nan), ["a", "b"], ["a", "b"]))


def test_interval():
    bar = drawn(interval(0.5, 0.4, 0.6))
    assert bar.findall(".//rect")[1].get("width") == "50.0"
    assert "M40.0 5H60.0" in bar.find(".//path").get("d")
    assert drawn(interval(0.5, math.nan, math.nan)).find(".//path") is None


def test_distributions_stand_on_the_floor_and_leave_out_empty_ends():
    edges = np.linspace(-1, 1, 65)
    first, second = np.zeros(64), np.zeros(64)
    first[60:62], second[40:50] = 0.5, 0.1
    text = distributions("this encoder", edges, first, second, "cosine")
    svg = drawn(text)
    area = [tuple(map(float, pair.split(","))) for pair in svg.find(".//polygon").get("points").split()]
    floor = charts.HEIGHT - charts.BOTTOM
    assert area[0] == (charts.LEFT, floor) and area[-1] == (charts.WIDTH - charts.RIGHT, floor)
    assert len(area) == 2 * (63 - 39 + 1)  # the bins from one before the first to one after the last, and their corners
    assert "the area lies around 0.91, the outline around 0.41" in text


@pytest.mark.parametrize("shares", [np.zeros(4), np.full(4, np.nan)])
def test_distributions_of_nothing(shares):
    text = distributions("t", np.linspace(-1, 1, 5), shares, shares, "cosine")
    drawn(text)
    assert "no finite values" in text


def test_a_profile_is_cut_and_averaged():
    bars = drawn(profile([3.0, -99.0, math.nan, math.inf], "<row>")).findall(".//rect")
    assert [float(bar.get("height")) for bar in bars] == [33, 33, 0, 33]
    assert float(bars[0].get("y")) == 3 and float(bars[1].get("y")) == 36
    assert len(drawn(profile(np.ones(1000), "row")).findall(".//rect")) == charts.BARS


def test_bands_lie_between_their_quantiles_and_leave_out_gaps():
    low, high = np.array([[0.0, 0.1, 0.2], [0.5, 0.6, 0.7], [0.8, 0.9, 1.0]]), np.full((3, 3), -0.5)
    high[:, 1] = math.nan
    text = bands("scores", [0, 1, 2], low, high, "epoch", (0.0, 2.0))
    areas = [[tuple(map(float, p.split(","))) for p in a.get("points").split()] for a in drawn(text).findall(".//polygon")]
    assert [len(area) for area in areas] == [4, 4]  # the step with a gap is not drawn
    assert areas[0][0][1] < areas[0][3][1] and areas[0][0][0] == charts.LEFT  # high above low
    assert "medians at last 0.7 and −0.5" in text
    assert "fewer than two looks" in bands("scores", [0, 1], low[:, :2], high[:, :2], "epoch", (0.0, 1.0))


def test_a_bar_is_never_shorter_than_nothing():
    assert 'class="value" width="0.0"' in charts.interval(-0.005, -0.02, 0.01) and "M0.0 5H1.0" in charts.interval(
        -0.005, -0.02, 0.01
    )
