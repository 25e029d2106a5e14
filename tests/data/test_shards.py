import io
import tarfile

import numpy as np
import pytest

import tacit.data
from tacit.data.checking import verify
from tacit.data.inspecting import inspect
from tacit.errors import TacitError

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 6, 8, 3), dtype=np.uint8)


def shard(path, members, form=tarfile.USTAR_FORMAT):
    with tarfile.open(path, "w", format=form) as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.fixture
def shards(png, tmp_path):
    """Three shards of four samples with a class and a caption each."""
    for part in range(3):
        rows = range(4 * part, 4 * part + 4)
        members = [(f"{i:04d}.{kind}", content) for i in rows for kind, content in contents(png, i)]
        shard(tmp_path / f"shard-{part:03d}.tar", members)
    return tmp_path


def places(file):
    with tarfile.open(file) as archive:
        return {member.name: member for member in archive}


def contents(png, i):
    return [("cls", str(i % 3 + 8).encode()), ("png", png(PIXELS[i])), ("txt", b"a caption")]


def pixels(samples):
    content, bad = samples.read(np.arange(len(samples)))
    assert not bad
    return content.pixels.numpy()


@pytest.mark.parametrize("source", ["", "shard-{000..002}.tar"])
def test_shards_are_read_in_any_order(shards, source):
    samples = tacit.data.open(shards / source if source else shards)
    assert samples.ids[0] == "shard-000/0000" and samples.ids[-1] == "shard-002/0011" and len(samples) == 12
    assert samples.classes == ("8", "9", "10") and samples.labels.tolist() == [i % 3 for i in range(12)]
    assert (pixels(samples) == PIXELS).all() and samples.ignored == {".txt": 12} and samples.splits is None
    order = np.array([11, 2, 2, 7])
    assert (pixels(samples.take(order)) == PIXELS[order]).all() and samples.path(0) is None
    assert samples.with_channels(1).with_side(3).read(order)[0].pixels.shape == (4, 3, 4, 1)
    kept, corrupt = verify(samples)
    assert not corrupt and (pixels(kept) == PIXELS).all() and kept.ids == samples.ids
    assert "12 images" in str(inspect(shards)) and inspect(shards).notes == {"shards": "3"}


def test_one_shard_long_names_folders_and_second_images(png, tmp_path):
    long = "deep/" * 30 + "a"
    members = [
        (f"./{long}.png", png(PIXELS[0])),
        ("b.mask.png", png(PIXELS[1])),
        ("b.png", png(PIXELS[2])),
        ("b.depth.png", png(PIXELS[1])),
        ("._c.png", b""),
        ("c.1.png", png(PIXELS[3])),
    ]
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        samples = tacit.data.open(shard(tmp_path / "one.tar", members, form))
        assert samples.ids == [f"one/{long}", "one/b", "one/c"] and (pixels(samples) == PIXELS[[0, 2, 3]]).all()
        assert samples.ignored == {"further images of a sample": 2, ".*": 1} and samples.labels is None


def test_names_tell_splits(png, tmp_path):
    for number, name in enumerate(("set-train-000", "set-train-001", "set-val-000")):
        shard(tmp_path / f"{name}.tar", [("a.png", png(PIXELS[number]))])
    assert tacit.data.open(tmp_path).splits.tolist() == ["train", "train", "val"]


def test_a_shard_cut_in_an_image(shards):
    file = shards / "shard-001.tar"
    file.write_bytes(file.read_bytes()[: places(file)["0006.png"].offset_data + 100])
    samples = tacit.data.open(shards)
    content, bad = samples.read(np.arange(len(samples)))
    assert {samples.ids[i]: why for i, why in bad.items()} == {"shard-001/0006": "shard-001.tar is cut in the middle of it"}
    assert (content.pixels.numpy() == PIXELS[[0, 1, 2, 3, 4, 5, 8, 9, 10, 11]]).all()
    found = inspect(shards)
    assert found.notes["cut"] == "shard-001.tar: what came after the cut is lost" and len(found.trouble) == 1


def test_a_shard_cut_in_a_header_or_between(shards):
    file = shards / "shard-002.tar"
    place = places(file)["0010.cls"].offset
    whole = file.read_bytes()
    for end, how in ((place + 100, "what came after the cut is lost"), (place, "ends without an end mark; it may be cut")):
        file.write_bytes(whole[:end])
        samples = tacit.data.open(shards)
        assert (pixels(samples) == PIXELS[:10]).all() and samples.notes["cut"] == f"shard-002.tar: {how}"
    other = shards / "shard-001.tar"
    other.write_bytes(other.read_bytes()[: places(other)["0006.png"].offset + 100])
    assert tacit.data.open(shards).notes["cut"].count("; shard-002.tar: ends without") == 1


def test_a_shard_that_ends_as_it_should_is_not_called_cut(png, tmp_path):
    file = shard(tmp_path / "a.tar", [("a.png", png(PIXELS[0]))])
    end = places(file)["a.png"].offset_data + tarfile.BLOCKSIZE * -(-places(file)["a.png"].size // tarfile.BLOCKSIZE)
    for blocks in (1, 2):  # what tar demands are two blocks of zeros; some write one
        file.write_bytes(file.read_bytes()[: end + blocks * tarfile.BLOCKSIZE].ljust(end + blocks * tarfile.BLOCKSIZE, b"\0"))
        assert tacit.data.open(file).notes == {"shards": "1"}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.tar", b"", "a.tar is no readable tar file"),
        ("a.tar", b"junk" * 500, "a.tar is no readable tar file"),
        ("a.tar.gz", b"junk", "unpack it with gunzip first"),
        ("a-{0..3}.tar", None, "stands for 4 files and .*a-0.tar is not there"),
    ],
)
def test_bad_shards_are_answered_with_one_sentence(tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(TacitError, match=says) as error:
        tacit.data.open(tmp_path / name)
    assert "\n" not in str(error.value)


def test_a_shard_without_images(tmp_path):
    with pytest.raises(TacitError, match=r"holds no image but .txt"):
        tacit.data.open(shard(tmp_path / "a.tar", [("a.txt", b"x")]))


def test_a_member_that_claims_too_much(png, tmp_path, monkeypatch):
    monkeypatch.setattr("tacit.data.shards.LARGEST", 5000)
    samples = tacit.data.open(shard(tmp_path / "a.tar", [("a.png", png(PIXELS[0])), ("b.png", bytes(6000))]))
    assert "GiB" in samples.read(np.arange(2))[1][1]
