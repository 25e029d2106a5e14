import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

import tacit.data
from tacit.data.generated import clusters, glyphs, pairs, tiny_images, write
from tacit.data.strokes import draw
from tacit.data.vectors import statistics
from tacit.errors import TacitError


def raw(samples):
    """Everything a sample holds, as one row."""
    content = samples.read(np.arange(len(samples)))[0]
    return content[0].numpy().reshape(len(samples), -1).astype(np.float32)


def neighbours(samples):
    """Accuracy of 20 nearest neighbours in raw features."""
    x, train = raw(samples), samples.splits == "train"
    judge = KNeighborsClassifier(20).fit(x[train], samples.labels[train])
    return judge.score(x[~train], samples.labels[~train])


@pytest.mark.parametrize("make", [glyphs, tiny_images, clusters, lambda n, **o: pairs(n, **o).first])
def test_a_larger_set_begins_with_the_smaller(make):
    small, large, other = make(300), make(400), make(300, seed=1)
    assert (raw(large)[:300] == raw(small)).all() and large.ids[:300] == small.ids
    assert (raw(other) != raw(small)).any() and (large.labels[:300] == small.labels).all()
    assert small.splits.tolist() == ["train", "train", "train", "train", "test"] * 60
    assert small.ids[4] == "test/00004" and set(small.labels) == set(range(len(small.classes)))


@pytest.mark.parametrize(
    ("samples", "most"),
    [(glyphs(1500), 0.3), (tiny_images(1000), 0.5), (clusters(1000), 0.5), (pairs(1000).first, 0.5), (pairs(1000).second, 0.6)],
)
def test_raw_features_do_not_tell_the_classes(samples, most):
    assert neighbours(samples) < most


def test_what_tells_the_class_is_there():
    samples = clusters(1000)
    samples.values = samples.values[:, :8]
    assert neighbours(samples) > 0.9
    both = pairs(2000)
    one, two = (
        np.linalg.svd(raw(part) - raw(part).mean(0), full_matrices=False)[0][:, :12] for part in (both.first, both.second)
    )
    canonical = np.linalg.svd(one.T @ two)[1]
    assert (canonical[:4] > 0.99).all() and (canonical[4:] < 0.2).all()  # the four numbers that the parts share


def test_a_stroke_covers_what_lies_near_it():
    images = np.zeros((1, 32, 32, 3), np.float32)
    draw(images, np.array([[[[-0.5, 0.0], [0.5, 0.0]]]]), np.array([0.25]), np.ones((1, 3)))
    area = images[0, :, :, 0].sum() * (2 / 32) ** 2
    assert area == pytest.approx(1 * 0.5 + np.pi * 0.25**2, rel=0.02)
    assert images[0, 16, 16, 0] == 1 and images[0, 16, 1, 0] == 0 and images[0, 2, 16, 0] == 0


def test_written_letters_are_read_as_they_were(tmp_path):
    samples = glyphs(60, classes=3)
    write(samples, tmp_path)
    found = tacit.data.open(tmp_path)
    assert len(found) == 60 and found.classes == ("A", "E", "H")
    by_name = {name.rsplit("/", 1)[1][:5]: i for i, name in enumerate(found.ids)}
    order = np.array([by_name[f"{i:05d}"] for i in range(60)])
    again = found.take(order)
    assert (again.labels == samples.labels).all() and (again.splits == samples.splits).all()
    assert (again.read(np.arange(60))[0].pixels.numpy() == samples.pixels).all()


def test_there_are_only_so_many_classes():
    with pytest.raises(TacitError, match="2 to 12"):
        glyphs(10, classes=13)
    with pytest.raises(TacitError, match="2 to 4"):
        tiny_images(10, classes=5)


def test_statistics_of_vectors_are_numpys():
    samples = clusters(500)
    found = statistics(samples)
    assert np.allclose(found["mean"], samples.values.mean(0), atol=1e-5) and np.allclose(found["std"], samples.values.std(0))
