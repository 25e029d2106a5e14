"""Texts from files and folders: what is told by looking, what is left out, and what it is said to be."""

import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tacit
from tacit.data.checking import verify
from tacit.data.opening import open as open_source
from tacit.data.text.samples import Alike, Wanted
from tacit.errors import TacitError

LINES = [f"the {name} sat quietly on the {where} of the old house" for name in ("cat", "dog", "owl") for where in "abcdefghij"]


def put(path, text, mode="w"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text) if isinstance(text, bytes) else path.write_text(text, encoding="utf-8")
    return path


def test_lines_of_a_file_with_and_without_gz(tmp_path):
    file = put(tmp_path / "a.txt", "\ufeff" + "\r\n".join(LINES) + "\r\n\r\n")
    samples = open_source(file)
    assert (samples.kind, len(samples), samples.ids[0], samples.ids[-1]) == ("text", 30, "00001", "00030")
    assert samples.said([0, 29]) == [LINES[0], LINES[29]] and samples.ignored == {"lines without a letter": 1}
    packed = tmp_path / "a.txt.gz"
    packed.write_bytes(gzip.compress("\n".join(LINES).encode()))
    assert open_source(str(packed)).said(range(30)) == LINES


def test_a_folder_of_a_few_files_is_lines_and_of_splits_if_named_so(tmp_path):
    put(tmp_path / "train.txt", "\n".join(LINES[:20]))
    put(tmp_path / "dev.txt", "\n".join(LINES[20:]))
    samples = open_source(tmp_path)
    assert samples.ids[0] == "dev.txt/00001" and dict(zip(*np.unique(samples.splits, return_counts=True))) == {
        "train": 20,
        "val": 10,
    }


def test_a_folder_of_many_files_or_of_classes_is_a_text_each(tmp_path):
    for number, line in enumerate(LINES):
        put(
            tmp_path / ("train" if number % 2 else "test") / ("odd" if number % 3 else "even") / f"{number}.txt",
            f"{line}\n\nMore.\n",
        )
    samples = open_source(tmp_path)
    assert len(samples) == 30 and samples.classes == ("even", "odd") and {*samples.splits} == {"train", "test"}
    assert samples.said([0])[0].endswith("More.") and samples.path(0).endswith(samples.ids[0])


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv", ".parquet", ".arrow"])
def test_a_list_with_a_column_of_prose(tmp_path, suffix):
    rows = [{"text": f'{line}, "so"', "label": name} for name, line in zip("ab" * 15, LINES)]
    file = tmp_path / f"list{suffix}"
    table = pa.Table.from_pylist(rows)
    if suffix == ".jsonl":
        put(file, "\n".join(map(json.dumps, rows)))
    elif suffix == ".csv":
        put(file, "text,label\n" + "\n".join('"' + r["text"].replace('"', '""') + f'",{r["label"]}' for r in rows))
    elif suffix == ".tsv":
        put(file, "text\tlabel\n" + "\n".join(f"{r['text']}\t{r['label']}" for r in rows))
    elif suffix == ".parquet":
        pq.write_table(table, file)
    else:
        with pa.OSFile(str(file), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table)
    samples = open_source(file)
    assert samples.kind == "text" and samples.classes == ("a", "b") and samples.said([1]) == [rows[1]["text"]]
    assert samples.labels.tolist() == [0, 1] * 15


def test_a_table_of_numbers_with_a_remark_stays_a_table(tmp_path):
    rows = "\n".join(f"{number},{2 * number},{line}" for number, line in enumerate(LINES))
    file = put(tmp_path / "a.csv", f"height,weight,remark\n{rows}\n")
    assert open_source(file).kind == "table"
    assert open_source(file, "text").said([0]) == [LINES[0]]


def test_saved_sets_of_datasets_and_sets_in_memory(tmp_path):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])})
    made = datasets.Dataset.from_dict({"text": LINES, "label": [0, 1] * 15}, features=features)
    both = datasets.DatasetDict({"train": made, "test": made})
    both.save_to_disk(str(tmp_path / "saved"))
    for samples in (open_source(tmp_path / "saved"), open_source(both)):
        assert len(samples) == 60 and samples.classes == ("no", "yes") and samples.ids[30] == "test/00000"
    assert open_source(made).said([2]) == [LINES[2]]


def test_pairs_with_scores(tmp_path):
    rows = "\n".join(f'{number % 6}.0\t"{line}\t{line} again' for number, line in enumerate(LINES))
    for part in ("train", "test"):
        put(tmp_path / f"{part}.tsv", f"score\tsentence1\tsentence2\n{rows}\n4.0\tonly one\n")
    samples = open_source(tmp_path)
    assert isinstance(samples.task, Alike) and len(samples) == 124 and len(samples.task.score) == 60
    assert samples.said([int(samples.task.first[0]), int(samples.task.second[0])]) == [f'"{LINES[0]}', f"{LINES[0]} again"]
    assert samples.wrong[60] == "it has 2 columns, not 3 (line 32)" and (samples.task.splits == "train").sum() == 30


def test_documents_with_judged_queries(tmp_path):
    put(
        tmp_path / "corpus.jsonl",
        "\n".join(json.dumps({"_id": f"d{i}", "title": "A cat", "text": t}) for i, t in enumerate(LINES)),
    )
    put(tmp_path / "queries.jsonl", "\n".join(json.dumps({"_id": f"q{i}", "text": f"where is {i}"}) for i in range(3)))
    put(tmp_path / "qrels.tsv", "query-id\tcorpus-id\tscore\nq0\td3\t1\nq1\td4\t2\nq2\tgone\t1\n")
    samples = open_source(tmp_path)
    assert isinstance(samples.task, Wanted) and samples.task.relevant.tolist() == [[30, 3, 1], [31, 4, 2]]
    assert (
        samples.ids[30] == "query/q0" and samples.said([0]) == [f"A cat {LINES[0]}"] and "left out" in samples.notes["queries"]
    )


def test_what_is_broken_is_named_with_its_line_and_skipped_up_to_the_threshold(tmp_path):
    good = [line.encode() for line in LINES] * 10
    bad = [b"caf\xe9 au lait", b"x" * (10 * 2**20)]
    file = put(tmp_path / "a.txt", b"\n".join([*good, *bad]))
    samples, corrupt = verify(open_source(file))
    assert len(samples) == 300 and [one.id for one in corrupt] == ["00301", "00302"]
    assert "no UTF-8: byte 0xe9 at 3 (line 301)" in corrupt[0].why and "10.0 MiB" in corrupt[1].why
    assert "caf" not in str(tacit.inspect(file)).split("trouble")[0] and "2 cannot be read" in str(tacit.inspect(file))
    put(file, b"\n".join(good[:50] + bad))
    with pytest.raises(TacitError, match=r"2 of 52 samples of .*a\.txt cannot be read \(00051: it is no UTF-8"):
        verify(open_source(file))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_broken_and_empty_cells_are_rows_that_cannot_be_read(tmp_path, suffix):
    as_json = suffix == ".jsonl"
    rows = [json.dumps({"text": line}) if as_json else f"{line},1" for line in LINES]
    strange = [b'{"text": "caf\xe9"}', b'{"text": " "}', b"[1]", b"{"] if as_json else [b"caf\xe9 x y z,1", b" ,2"]
    head = [] if as_json else [b"text,label"]
    file = put(tmp_path / f"a{suffix}", b"\n".join([*head, *(row.encode() for row in rows), *strange]))
    samples = open_source(file)
    assert len(samples) == 30 + len(strange) and len(samples.wrong) == len(strange)
    assert "no UTF-8" in samples.wrong[30] and samples.wrong[31] == "its text is empty"


def test_emoji_and_right_to_left_text_are_read_and_come_back(tmp_path):
    strange = ["שלום עולם טוב מאוד", "مرحبا بالعالم الجميل", "so 😀 happy 👩‍👩‍👧 today", "日本語 の テキスト です"]
    samples = open_source(put(tmp_path / "a.txt", "\n".join(LINES + strange)))
    content, bad = samples.read(np.arange(len(samples)))
    assert not bad
    from tacit.data.text.tokenizer import tokenizer

    by = tokenizer(samples.facts()["tokenizer"])
    for text, start, end in zip(strange, content.offsets[30:], content.offsets[31:]):
        assert by.said(content.tokens[start:end].tolist()) == text


def test_nothing_to_read_says_which_file(tmp_path):
    with pytest.raises(TacitError, match=r"empty\.txt holds no text that can be read"):
        open_source(put(tmp_path / "empty.txt", "\n \n"))
    with pytest.raises(TacitError, match=r"broken\.txt\.gz cannot be read"):
        open_source(put(tmp_path / "broken.txt.gz", b"\x1f\x8bnothing"))


def test_the_training_part_alone_teaches_the_tokenizer_and_a_run_keeps_it(tmp_path):
    put(tmp_path / "train.txt", "\n".join(LINES[:20]))
    put(tmp_path / "test.txt", "\n".join(f"zyzzyva {line}" for line in LINES[20:]))
    samples = open_source(tmp_path)
    facts = samples.split("train").facts()
    assert "zyzzyva" not in facts["tokenizer"] and json.loads(json.dumps(facts)) == facts
    assert "zyzzyva" in samples.facts()["tokenizer"]
    fitted = samples.fitted(facts)
    assert fitted.tokenised.by.written == facts["tokenizer"] and fitted.fitted(facts) is fitted
    seen = list(map(int, fitted.split("train").statistics()["seen"].split()))
    assert len(seen) == facts["vocabulary"] and max(seen) == 20


def test_pictures_with_captions_are_pairs_and_may_be_told_to_be_pictures(tmp_path, save):
    names = [save(f"{number}.png").name for number in range(6)]
    rows = "\n".join(f"{name},{line}" for name, line in zip(names, LINES))
    listed = put(tmp_path / "list.csv", f"image,text\n{rows}\n")
    assert open_source(listed).kind == "pair" and open_source(listed, "image").kind == "image"
    table = pa.table({"image": [(tmp_path / name).read_bytes() for name in names], "text": LINES[:6]})
    pq.write_table(table, tmp_path / "a.parquet")
    assert open_source(tmp_path / "a.parquet").kind == "pair" and open_source(tmp_path / "a.parquet", "image").kind == "image"
    assert open_source(tmp_path / "a.parquet", "text").said([0]) == [LINES[0]]
