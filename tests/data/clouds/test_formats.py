"""Files of points: every format gives the same points, and what is broken is one sentence."""

import struct

import numpy as np
import pytest

from tacit.data.clouds.formats import read, spread
from tacit.data.decoding import Unreadable

POINTS = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
LIST = "property list uchar int vertex_indices\n"
SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float64)


def ply(points, form="binary_little_endian", more="", tail=b"", count=None):
    head = f"ply\nformat {form} 1.0\ncomment made by a test\nelement vertex {len(points) if count is None else count}\n"
    head += "property float x\nproperty float y\nproperty float z\n" + more + "end_header\n"
    order = ">" if "big" in form else "<"
    body = "\n".join(" ".join(map(repr, row)) for row in points.tolist()).encode() + b"\n"
    return head.encode() + (body if form == "ascii" else points.astype(order + "f4").tobytes()) + tail


@pytest.fixture
def file(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_a_ply_of_any_order(file, form):
    np.testing.assert_array_equal(read(file("a.ply", ply(POINTS, form))), POINTS)


def test_npy_and_xyz(file, tmp_path):
    np.save(tmp_path / "a.npy", np.hstack([POINTS, np.ones((40, 1), np.float32)]))
    np.testing.assert_array_equal(read(tmp_path / "a.npy"), POINTS)
    lines = "# a scan\n" + "\n".join(", ".join(map(repr, row)) for row in POINTS.tolist())
    np.testing.assert_array_equal(read(file("a.xyz", lines)), POINTS)


def test_points_lie_evenly_on_faces():
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    points = spread(SQUARE, faces, 20_000, 3)
    assert abs(points[:, :2].mean(0) - 0.5).max() < 0.01 and (points[:, 2] == 0).all()
    assert abs(np.histogram2d(*points[:, :2].T, bins=4)[0] / 20_000 - 1 / 16).max() < 0.006


@pytest.mark.parametrize("first", ["OFF\n4 1 0\n", "OFF4 1 0\n", "OFF\n# a comment\n4 1 0\n"])
def test_an_off_gives_points_of_its_faces(file, first):
    body = "\n".join(" ".join(map(str, row)) for row in SQUARE.tolist()) + "\n4 0 1 2 3\n"
    points = read(file("a.off", first + body))
    assert points.shape == (2048, 3) and points.min() >= 0 and points.max() <= 1 and abs(points.mean(0)[0] - 0.5) < 0.05


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian"])
@pytest.mark.parametrize("polygons", [[[0, 1, 2], [0, 2, 3]], [[0, 1, 2, 3]], [[0, 1, 2, 3], [0, 1, 2]]])
def test_a_ply_with_faces(file, form, polygons):
    more = f"element face {len(polygons)}\n" + LIST
    text = "\n".join(f"{len(p)} " + " ".join(map(str, p)) for p in polygons).encode()
    packed = b"".join(struct.pack(f"<B{len(p)}i", len(p), *p) for p in polygons)
    content = ply(SQUARE, form, more, text if form == "ascii" else packed)
    points = read(file("a.ply", content))
    assert points.shape == (2048, 3) and (points[:, 2] == 0).all() and points[:, 1].max() > 0.9 and points[:, 0].max() > 0.9


def test_a_ply_that_declares_no_faces_is_a_cloud(file):
    content = ply(POINTS, more="element face 0\n" + LIST)
    np.testing.assert_array_equal(read(file("a.ply", content)), POINTS)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.ply", b"", "the file is empty"),
        ("a.ply", b"hello", "no header"),
        ("a.ply", ply(POINTS, count=41), "promises 41 of vertex, and 40 follow"),
        ("a.ply", ply(POINTS, count=10**12), "promises 1000000000000 of vertex"),
        ("a.ply", ply(POINTS, "ascii", count=41), "promises 41 of vertex, and 40 follow"),
        ("a.ply", ply(POINTS, count=-1), "below 0"),
        ("a.ply", ply(POINTS).replace(b"float x", b"flaot x"), "means nothing: 'property flaot x'"),
        ("a.ply", ply(POINTS).replace(b"float x", b"float a"), "no vertices with x, y and z"),
        ("a.ply", ply(SQUARE, more="element face 2\n" + LIST, tail=b"\x03"), "of face, and 0 follow"),
        ("a.ply", ply(SQUARE, "ascii", "element face 1\n" + LIST, b"3 0 1 9"), "names corner 9"),
        ("a.ply", ply(SQUARE, "ascii", "element face 1\n" + LIST, b"3 0 1 x"), "not all numbers"),
        ("a.off", "OFF\n4 0 0\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n", "a mesh without faces"),
        ("a.off", "OFF\n4 2 0\n0 0 0\n1 0 0\n", "promises 4 corners and 2 faces, and 2 lines follow"),
        ("a.off", "COFF\n4 2 0\n", "does not begin with OFF"),
        ("a.off", "OFF\n3 1 0\n0 0 0\n1 0 0\n2 0 0\n3 0 1 2\n", "no area"),
        ("a.off", "OFF\n3 1 0\n0 0 0\n1 0 0\n2 0 0\n2 0 1\n", "three corners"),
        ("a.off", "OFF\nmany\n", "how many corners"),
        ("a.xyz", "1 2 3\n4 5\n", "not all of the same"),
        ("a.xyz", "# nothing\n", "no line with numbers"),
        ("a.xyz", "C 1 2 3\nO 1 2 3\n", "other words"),
        ("a.xyz", b"\xff\xfe\x00", "no text"),
        ("a.npy", b"\x93NUMPY", "no numpy file"),
    ],
)  # fmt: skip
def test_what_is_broken_is_one_sentence(file, name, content, words):
    with pytest.raises(Unreadable, match=words):
        read(file(name, content))


def test_other_arrays_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 40)).T[:, :2])
    with pytest.raises(Unreadable, match=r"shape \(40, 2\)"):
        read(tmp_path / "a.npy")
