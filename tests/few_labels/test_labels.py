"""Lists of labels: what is read, what is matched, and what is refused, in a sentence that names it."""

from pathlib import Path

import numpy as np
import pytest

from tacit.data.generated import clusters, tiny_images, write
from tacit.data.opening import open as open_source
from tacit.errors import TacitError
from tacit.few_labels.labels import match, read

SAMPLES = clusters(40, dim=8)  # ids "train/00000", …
IDS = list(SAMPLES.ids)


def listed(tmp_path: Path, text: str, name: str = "labels.csv") -> Path:
    file = tmp_path / name
    file.write_text(text)
    return file


def rows(*labels: str) -> str:
    return "id,label\n" + "".join(f"{id},{label}\n" for id, label in zip(IDS, labels))


def test_labels_find_their_samples(tmp_path):
    text = "label;Id;colour\n" + "".join(f"{'ab'[i % 2]};{IDS[i]};x\n" for i in (7, 3, 12, 20))
    found = match(read(listed(tmp_path, text)), SAMPLES)
    assert dict(zip(found.positions.tolist(), found.places.tolist())) == {7: 1, 3: 1, 12: 0, 20: 0}
    assert found.classes == ("a", "b") and found.notes == []


def test_numbers_are_in_the_order_of_numbers(tmp_path):
    found = match(read(listed(tmp_path, rows("10", "9", "10", "9"))), SAMPLES)
    assert found.classes == ("9", "10") and found.places.tolist() == [1, 0, 1, 0]


def test_empty_and_nan_are_left_out_and_counted(tmp_path):
    found = match(read(listed(tmp_path, rows("a", "", "NaN", "b", "a", "b"))), SAMPLES)
    assert found.positions.tolist() == [0, 3, 4, 5]
    assert found.notes == ["2 of 6 labels are empty or NaN and are left out."]
    again = match(read({IDS[0]: "a", IDS[1]: float("nan"), IDS[2]: None, IDS[3]: "b", IDS[4]: "a"}), SAMPLES)
    assert again.positions.tolist() == [0, 3, 4] and again.notes[0] == "2 of 5 labels are empty or NaN and are left out."


def test_numbers_below_zero_say_that_there_is_none(tmp_path):
    found = match(read(listed(tmp_path, rows("0", "-1", "1", "0", "1"))), SAMPLES)
    assert found.positions.tolist() == [0, 2, 3, 4] and found.classes == ("0", "1")
    assert found.notes == ["1 labels are numbers below 0, which say that there is none, and are left out."]


def test_alike_twice_counts_once_and_contradictions_are_refused(tmp_path):
    text = rows("a", "b", "a", "b")
    assert match(read(listed(tmp_path, text + f"{IDS[0]},a\n")), SAMPLES).notes == [
        "1 labels came twice, alike, and count once."
    ]
    with pytest.raises(TacitError, match=f"gives '{IDS[0]}' two labels"):
        read(listed(tmp_path, text + f"{IDS[0]},b\n"))


def test_a_single_sample_of_a_class_is_told(tmp_path):
    found = match(read(listed(tmp_path, rows("a", "a", "b"))), SAMPLES)
    assert found.notes == ["1 class has a single sample ('b'), which is learned from and cannot be judged."]
    assert "2 classes have a single sample" in match(read(listed(tmp_path, rows("a", "a", "b", "c"))), SAMPLES).notes[0]


def test_a_few_unknown_ids_are_named_and_many_are_refused(tmp_path):
    some = rows(*"ab" * 15)
    found = match(read(listed(tmp_path, some + "99999,a\n88888,b\n")), SAMPLES)
    assert len(found.positions) == 30
    assert found.notes == ["2 of 32 labels are of no sample ('99999', '88888') and are left out."]
    with pytest.raises(TacitError, match=r"4 of 10 labels .*\('train/00100', .*, …; the nearest to the first is 'train/0000"):
        match(read({**dict(zip(IDS, "ababab")), **{f"train/0010{i}": "a" for i in range(4)}}), SAMPLES)
    with pytest.raises(TacitError, match="2 of 2 labels of the labels are of no sample"):
        match(read({"x": "a", "y": "b"}), SAMPLES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty; give a header"),
        ("id,label\n", "holds no label"),
        ("id,labels\n00000,a\n", "did you mean 'labels'"),
        ("name,label\n00000,a\n", "There is no column of .* 'id'"),
        ("ids,label\n00000,a\n", "did you mean 'ids'"),
        ("id,label\n00000,a,b\n", "3 columns in row 1 and 2 in the header"),
        (rows("a", "a", "a"), "one label only, 'a'"),
        (rows("", "nan", ""), "holds no label but empty ones"),
        (rows("-1", "-1", "-1"), "has no label; give labels of two"),
        (rows("a", "b", "c"), "a single sample of each of its 3 classes"),
    ],
)
def test_what_cannot_be_learned_from(tmp_path, text, said):
    with pytest.raises(TacitError, match=said):
        match(read(listed(tmp_path, text)), SAMPLES)


def test_no_such_file(tmp_path):
    with pytest.raises(TacitError, match="no list of labels"):
        read(tmp_path / "nothing.csv")
    with pytest.raises(TacitError, match="no list in UTF-8"):
        (tmp_path / "bytes.csv").write_bytes(b"id,label\n\xff\xfe,a\n")
        read(tmp_path / "bytes.csv")


def test_paths_are_told_from_the_folder_of_the_list(tmp_path):
    write(tiny_images(24), tmp_path / "cloth")
    samples = open_source(tmp_path / "cloth")
    files = [samples.path(i) for i in range(8)]
    relative = "".join(f"cloth/{id},{'ab'[i % 2]}\n" for i, id in enumerate(samples.ids[:8]))
    absolute = "".join(f"{file},{'ab'[i % 2]}\n" for i, file in enumerate(files))
    for text in (relative, absolute):
        found = match(read(listed(tmp_path, "path\tlabel\n" + text.replace(",", "\t"), "labels.tsv")), samples)
        assert np.array_equal(found.positions, np.arange(8)) and found.places.tolist() == [0, 1] * 4
    with pytest.raises(TacitError, match=r"gives 'cloth/.*' two labels"):
        read(listed(tmp_path, f"path,label\n{relative}./cloth/{samples.ids[0]},b\n"))
    alike = match(read(listed(tmp_path, f"path,label\n{relative}./cloth/{samples.ids[0]},a\n")), samples)
    assert alike.notes == ["1 labels came twice, alike, and count once."]
    with pytest.raises(TacitError, match=r"the nearest to the first is '.*cloth/"):
        match(read(listed(tmp_path, "path,label\ncloths/nothing.png,a\n")), samples)
    with pytest.raises(TacitError, match=r"names files by path, and the samples of .* are none; give their ids"):
        match(read(listed(tmp_path, "path,label\na.png,a\n")), SAMPLES)
