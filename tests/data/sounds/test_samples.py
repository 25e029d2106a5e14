"""Sounds as samples: folders, lists, labels, what is kept in memory, what is told of them."""

import numpy as np
import pytest
import torch

import tacit
from tacit.data import checking
from tacit.data.checking import verify
from tacit.data.sounds.generated import diphthongs, write, write_wav
from tacit.errors import TacitError
from tests.data.sounds.test_formats import TONE, broken

pytest.importorskip("soundfile")


def listed(folder, n=12):
    """A folder of sounds with a list in it, as data sets of speech have."""
    (folder / "wav").mkdir(parents=True)
    lines = ["path\tdigit\tspeaker\tsplit"]
    for i in range(n):
        write_wav(folder / "wav" / f"{i}.wav", TONE[: 2000 + 100 * i] * (i + 1) / n, 8000)
        lines.append(f"wav/{i}.wav\t{i % 3}\t{'ann' if i < n // 2 else 'bob'}\t{'test' if i % 4 == 3 else 'train'}")
    (folder / "labels.tsv").write_text("\n".join(lines) + "\n")
    return folder


def test_a_list_in_the_folder_says_labels_and_splits(tmp_path):
    samples = tacit.open(str(listed(tmp_path / "set")))
    assert samples.kind == "audio" and len(samples) == 12 and samples.classes == ("0", "1", "2")
    assert samples.labels.tolist() == [0, 1, 2] * 4 and (samples.splits == "test").sum() == 3
    assert samples.ids[1] == "wav/1.wav" and samples.path(1).endswith("set/wav/1.wav")
    assert "column 'digit'" in samples.notes["labels"]
    by = samples.labelled("speaker")
    assert by.classes == ("ann", "bob") and by.labels.tolist() == [0] * 6 + [1] * 6
    held = samples.held_out("speaker", "bob")
    assert (held.splits == "test").sum() == 6 and held.split("test").columns["speaker"].tolist() == ["bob"] * 6
    assert tacit.open(str(tmp_path / "set" / "labels.tsv")).ids == samples.ids
    for wrong in (lambda: samples.labelled("speakr"), lambda: samples.held_out("speaker", "carl")):
        with pytest.raises(TacitError, match=r"speaker|bob"):
            wrong()


def test_class_folders_and_splits(tmp_path):
    write(diphthongs(30), tmp_path)
    samples = tacit.open(str(tmp_path))
    assert set(samples.classes) <= {"ai", "au", "ia", "iu", "ua", "ui"} and set(samples.splits) == {"train", "test"}
    one = sorted(tmp_path.glob("*/*/*.wav"))[0]
    assert len(tacit.open(str(one))) == 1


def test_what_is_written_is_what_is_read(tmp_path):
    made = diphthongs(10)
    write(made, tmp_path)
    samples = tacit.open(str(tmp_path))
    for position, id in enumerate(samples.ids):
        original = made.read(np.array([[i.split("/")[1] for i in made.ids].index(id.split("/")[2][:5])]))[0].floats()[0]
        assert (samples.read(np.array([position]))[0].floats()[0] - original).abs().max() < 1e-4


def test_memory_keeps_what_was_read(tmp_path):
    samples = tacit.open(str(listed(tmp_path / "set")))
    kept, corrupt = verify(samples)
    assert not corrupt and kept.kept is not None and len(kept.kept.values) == sum(2000 + 100 * i for i in range(12))
    index = np.array([7, 2, 11])
    for one, other in zip(samples.read(index)[0], kept.read(index)[0]):
        assert torch.equal(one, other)
    some = kept.take(np.array([3, 5]))
    assert torch.equal(some.read(np.array([1]))[0].waves, samples.read(np.array([5]))[0].waves)
    assert verify(kept)[0].kept is kept.kept


def test_the_others_depend_on_nothing_but_the_samples(tmp_path):
    samples = tacit.open(str(listed(tmp_path / "set")))
    first = samples.take(np.array([1, 2, 3])).read(np.array([0]))[0].others
    samples.read(np.array([0]))
    again = samples.take(np.array([1, 2, 3])).read(np.array([2]))[0].others
    assert torch.equal(first, again) and torch.allclose(first.std(1), torch.ones(3), atol=0.02)


def test_a_mixture_of_rates_and_channels(tmp_path):
    for i in range(5):
        write_wav(tmp_path / f"{i}.wav", TONE, 8000)
    write_wav(tmp_path / "6.wav", np.stack([TONE, TONE], 1), 16000)
    samples = tacit.open(str(tmp_path))
    assert samples.rate == 8000 and samples.read(np.arange(6))[0].lengths.tolist() == [4000] * 5 + [2000]
    told = str(tacit.inspect(str(tmp_path)))
    assert "from 8,000: 5, 16,000: 1" in told and "of 1: 5, 2: 1" in told
    assert samples.at_rate(4000).read(np.array([0]))[0].lengths.tolist() == [2000]
    with pytest.raises(TacitError, match="1000 to 192000"):
        samples.at_rate(3)


def test_statistics_are_of_what_is_heard(tmp_path):
    samples = verify(tacit.open(str(listed(tmp_path / "set"))))[0]
    found = samples.statistics()
    assert -20 < found["mean"] < 0 and found["std"] > 0.5 and 0.25 <= found["seconds"][0] <= found["seconds"][1] <= 0.4


def test_bad_files_are_named_counted_and_skipped(tmp_path):
    folder = tmp_path / "set"
    write(diphthongs(400), folder / "good")
    bad = [name for name in broken(folder) if (folder / name).exists()]
    told = tacit.inspect(str(folder), "audio")
    assert {one.id for one in told.trouble} == {*bad} and len(told.trouble) == 10
    with pytest.raises(TacitError, match=r"10 of 410 samples of .* cannot be read \(cut.flac"):
        verify(tacit.open(str(folder)))
    for name in bad[3:]:
        (folder / name).unlink()
    readable, corrupt = verify(tacit.open(str(folder)))
    assert len(readable) == 400 and {one.id for one in corrupt} == {"silence.wav", "short.wav", "nan.wav"}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["path,label", "a.wav"], "columns in row 1"),
        (["path,label,split", "a.wav,x,north"], "write train, val or test"),
        (["path,label"], "lists nothing|There is no"),
    ],
)
def test_bad_lists(tmp_path, lines, said):
    write_wav(tmp_path / "a.wav", TONE, 8000)
    (tmp_path / "list.csv").write_text("\n".join(lines))
    with pytest.raises(TacitError, match=said):
        tacit.open(str(tmp_path / "list.csv"), "audio")


def test_a_list_without_sounds(tmp_path):
    (tmp_path / "list.csv").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(TacitError, match="none of paths of sounds"):
        tacit.open(str(tmp_path / "list.csv"), "audio")
    assert tacit.open(str(tmp_path / "list.csv")).kind == "table"


def test_nothing_readable(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(TacitError, match="None of the 1 sounds"):
        tacit.open(str(tmp_path))


def test_diphthongs_hide_their_classes_from_mean_spectra():
    samples = diphthongs(20)
    assert samples.read(np.arange(20))[0].waves.shape[0] == 20
    larger = diphthongs(40).read(np.arange(20))[0]
    assert torch.equal(samples.read(np.arange(20))[0].waves[:, :2400], larger.waves[:, :2400])
    with pytest.raises(TacitError, match="2 to 6"):
        diphthongs(10, classes=7)


def test_without_room_on_disk_sounds_are_decoded_anew(tmp_path, monkeypatch):
    samples = tacit.open(str(listed(tmp_path / "set")))
    monkeypatch.setattr(checking, "DISK", 1e-12)
    kept, corrupt = verify(samples)
    assert kept is samples and not corrupt
