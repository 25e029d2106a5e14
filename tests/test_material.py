"""Sources opened for training: the train part, the readable samples, their sizes and statistics."""

import hashlib

import numpy as np
import pytest
import torch

from tacit.data.generated import clusters, pairs, tiny_images, write
from tacit.data.opening import open as open_source
from tacit.data.pairs import Pairs
from tacit.errors import TacitError
from tacit.material import at_side, facts_of, fit_views, gather_material, hash_of_ids, labels_in, sizes, source_of
from tacit.method import Facts
from tacit.views.kinds import Pair


def images(*shape):
    return open_source(np.zeros((2, *shape), np.uint8))


@pytest.mark.parametrize(
    "shape, device, size, found",
    [
        ((16, 16, 3), "cpu", None, 16),
        ((30, 19, 3), "cpu", None, 16),  # the shorter side, down to a multiple of 4
        ((300, 400, 3), "cpu", None, 64),
        ((300, 400, 3), "cuda", None, 224),
        ((300, 400, 3), "cpu", 50, 50),
        ((2, 3, 1), "cpu", None, 4),
    ],
)
def test_the_side_of_training_images(shape, device, size, found):
    facts = sizes(images(*shape), size, device)
    assert facts["size"] == found and facts["side"] == -(-found * 8 // 7)


def test_a_size_that_cannot_be():
    with pytest.raises(TacitError, match="--size is 3; give"):
        sizes(images(16, 16, 3), 3, "cpu")
    with pytest.raises(TacitError, match=r"--size 16 is a side of images.*vector.*leave it out"):
        sizes(clusters(10), 16, "cpu")
    with pytest.raises(TacitError, match=r"--size 16 is a side of images.*vector"):
        sizes(pairs(10), 16, "cpu")


def test_a_size_is_of_the_images_of_a_pair():
    both = Pairs.of(tiny_images(10), clusters(10))
    for pair, name in ((both, "first"), (Pairs.of(both.second, both.first), "second")):
        assert sizes(pair, 12, "cpu")[name]["size"] == 12


def test_the_facts_of_vectors():
    samples = clusters(50, dim=6)
    found = gather_material(samples, None, None, "cpu")
    train = samples.split("train").read(np.arange(40))[0].values.numpy()
    assert found.split == "train" and len(found.samples) == 40 and found.corrupt == []
    np.testing.assert_allclose(found.facts["mean"], train.mean(0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.facts["std"], train.std(0), rtol=1e-4)
    assert facts_of(found.facts, fit_views(found.facts, {}), 40) == Facts("vector", 40, (6,), found.facts)


def test_the_facts_of_images():
    samples = tiny_images(50)
    found = gather_material(samples, None, None, "cpu")
    pixels = samples.split("train").read(np.arange(40))[0].pixels.numpy() / 255
    np.testing.assert_allclose(found.facts["mean"], pixels.mean((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(found.facts["std"], pixels.std((0, 1, 2)), rtol=1e-5)
    assert fit_views(found.facts, {}).shape == (3, 16, 16)


def test_the_facts_of_pairs_are_those_of_both_parts():
    found = gather_material(pairs(50, dim=6), None, None, "cpu")
    assert found.facts["kind"] == "pair" and len(found.samples) == 40
    for part in ("first", "second"):
        rows = getattr(found.samples, part).read(np.arange(40))[0].values.numpy()
        np.testing.assert_allclose(found.facts[part]["mean"], rows.mean(0), rtol=1e-4, atol=1e-5)
    assert facts_of(found.facts, fit_views(found.facts, {}), 40).shape == ((6,), (6,))


def test_a_folder_is_decoded_no_larger_than_needed_and_without_what_is_corrupt(tmp_path):
    write(tiny_images(100, size=24), tmp_path)  # 80 for training
    spoilt = sorted((tmp_path / "train").rglob("*.png"))[3]
    spoilt.write_bytes(b"")
    with pytest.raises(TacitError, match=r"1 of 80 samples .* cannot be read"):
        gather_material(tmp_path, None, 8, "cpu")
    write(tiny_images(200, size=24), tmp_path)
    spoilt.write_bytes(b"")
    found = gather_material(tmp_path, None, 8, "cpu")
    assert len(found.samples) == 159 and found.split == "train"
    assert [sample.id for sample in found.corrupt] == [str(spoilt.relative_to(tmp_path))]
    assert found.samples.read(np.arange(5))[0].pixels.shape == (5, 10, 10, 3)  # 8 · 8/7, rounded up


def test_channels_are_those_of_the_facts():
    grey = images(16, 16, 1)
    facts = sizes(images(16, 16, 3), None, "cpu")
    assert at_side(grey, facts).read(np.arange(2))[0].pixels.shape[3] == 3


def test_labels_are_counted_where_there_are_some():
    assert labels_in(open_source(np.zeros((5, 3), np.float32))) == 0
    samples = clusters(10)
    assert labels_in(samples) == 10
    samples.labels[:4] = -1
    assert labels_in(samples) == 6


def test_a_stream_that_learns_from_labels_gets_the_labelled_alone():
    samples = clusters(50, dim=6)
    samples.labels[::2] = -1
    found = gather_material(samples, None, None, "cpu", labelled=True)
    train = samples.split("train")
    assert found.samples.ids == [id for id, label in zip(train.ids, train.labels) if label >= 0]
    assert len(gather_material(samples, None, None, "cpu").samples) == 40


def test_a_source_has_the_views_of_its_kind_and_the_plain_one():
    found = gather_material(clusters(50, dim=6), None, None, "cpu")
    source = source_of(found.samples, fit_views(found.facts, {"noise": 0.5}), Pair())
    content, index = found.samples.read(np.arange(4))[0], np.arange(4)
    (first, second), _ = source.program(content, index, 0)
    (plain,), _ = source.plain(content, index, 0)
    assert not torch.equal(first, second) and not torch.equal(first, plain)
    mean, std = (torch.tensor(found.facts[name]) for name in ("mean", "std"))
    torch.testing.assert_close(plain, (content.values - mean) / std)


def test_the_hash_of_ids_is_that_of_all_of_them_in_order():
    samples = clusters(3)
    joined = hashlib.blake2b("\n".join(samples.ids).encode(), digest_size=16).hexdigest()
    assert hash_of_ids(samples) == joined != hash_of_ids(samples.take(np.array([1, 0, 2])))
    samples.ids = [f"é{i}" for i in range(70_000)]
    assert hash_of_ids(samples) == hashlib.blake2b("\n".join(samples.ids).encode(), digest_size=16).hexdigest()
