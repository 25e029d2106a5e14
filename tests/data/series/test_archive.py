"""The .ts files of the UCR and UEA archives."""

import numpy as np
import pytest

import tacit
from tacit.errors import TacitError

HEADER = "# a comment\n@problemName Toy\n@timeStamps false\n@univariate false\n@classLabel true up down\n@data\n"
ROWS = "1,2,3:4,5,6:up\n3,?,1:6,5,4:down\n1,2:3,4:up\n"


def written(folder, text=HEADER + ROWS, name="Toy_TRAIN.ts"):
    (folder / name).write_text(text)
    return str(folder / name)


def test_channels_labels_gaps_and_unequal_lengths(tmp_path):
    samples = tacit.open(written(tmp_path))
    assert samples.kind == "series" and samples.classes == ("down", "up") and samples.labels.tolist() == [1, 0, 1]
    assert samples.lengths.tolist() == [3, 3, 2] and samples.gaps
    content, _ = samples.read(np.array([1]))
    np.testing.assert_array_equal(content.values[0].numpy(), [[3, np.nan, 1], [6, 5, 4]])


def test_a_folder_of_splits(tmp_path):
    written(tmp_path)
    written(tmp_path, name="Toy_TEST.ts")
    samples = tacit.open(str(tmp_path))
    assert samples.splits.tolist() == ["test"] * 3 + ["train"] * 3 and samples.ids[3] == "train/00000"


def test_without_labels(tmp_path):
    samples = tacit.open(written(tmp_path, HEADER.replace("true up down", "false") + "1,2,3\n3,2,1\n"))
    assert samples.labels is None and samples.facts()["channels"] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER, "no series below @data"),
        (HEADER + "1,2,x:1,2,3:up\n", "Line 7 of Toy_TRAIN.ts holds what is no number"),
        (HEADER + "1,2,3:1,2,3:up\n1,2,3:up\n", "has 1 channels and the first 2"),
        (HEADER.replace("timeStamps false", "timeStamps true") + ROWS, "time stamps"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path, text, said):
    with pytest.raises(TacitError, match=said):
        tacit.open(written(tmp_path, text))


def test_another_thing_that_ends_so_is_no_series(tmp_path):
    (tmp_path / "code.ts").write_text("export const x = 1;\n")
    with pytest.raises(TacitError, match="does not open"):
        tacit.open(str(tmp_path / "code.ts"))
