"""Bad input, end to end: one sentence that says what came and what to do, an exit status, and nothing lost."""

import errno
import pickle
import shutil
import struct
import tarfile
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from PIL import Image

import tacit
from tacit.cli import run
from tacit.data import generated
from tacit.errors import TacitError
from tacit.training import checkpoint
from tests.cli.conftest import SMALL, TRAINING, contents, done, one_sentence


def bomb(path):
    """A PNG of 30 000 × 30 000 black pixels in 110 kB."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer, row = zlib.compressobj(1), bytes(1 + 30_000 // 8)
    rows = b"".join(packer.compress(row * 100) for _ in range(300)) + packer.flush()
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def text(path):
    path.write_text("this is no image")


def truncated(path):
    Image.fromarray(generated.tiny_images(1, size=64).pixels[0]).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


SPOILT = [(text, "not an image"), (truncated, "truncated"), (bomb, "million pixels")]


# ---- what is pointed at ----


@pytest.mark.parametrize(
    "command", ["inspect empty", "preview empty", f"pretrain empty --out r {SMALL}", "evaluate trained empty"]
)
def test_an_empty_folder(here, refused, command):
    (here / "empty").mkdir()
    refused(command, "empty is empty", "images was expected", "check the path")


@pytest.mark.parametrize("source", ["one", "photos/000.png"])
def test_one_image_is_too_few_to_learn_from(here, refused, source):
    (here / "one").mkdir()
    shutil.copy(here / "photos" / "000.png", here / "one")
    refused(f"pretrain {source} --out r {SMALL}", f"{source} holds 1 sample", "at least 2", "give more")


@pytest.mark.parametrize(("spoil", "why"), SPOILT)
def test_a_spoilt_image_among_many_is_left_out_and_listed(here, capsys, spoil, why):
    spoil(here / "photos" / "spoilt.jpg")
    done(f"pretrain photos --out r {SMALL}")
    said = yaml.safe_load((here / "r" / "run.yaml").read_text())["data"]
    (listed,) = said["corrupt"]
    assert said["samples"] == 200 and listed.startswith("spoilt.jpg: ") and why in listed
    err = capsys.readouterr().err
    assert (here / "photos" / "spoilt.jpg").exists() and "Traceback" not in err and "Left out: spoilt.jpg" in err


@pytest.mark.parametrize(("spoil", "why"), SPOILT)
def test_a_spoilt_image_beside_one_is_refused(here, refused, spoil, why):
    (here / "two").mkdir()
    shutil.copy(here / "photos" / "000.png", here / "two")
    spoil(here / "two" / "spoilt.jpg")
    refused(
        f"pretrain two --out r {SMALL}",
        "1 of 2 samples of two",
        "spoilt.jpg",
        why,
        "more than the 1% allowed",
        "remove or replace",
    )


@pytest.mark.parametrize(("spoil", "why"), [(text, "not an image"), (bomb, "million pixels")])
def test_nothing_but_a_spoilt_image(here, refused, spoil, why):
    (here / "spoilt").mkdir()
    spoil(here / "spoilt" / "a.jpg")
    for line in ("inspect spoilt", f"pretrain spoilt --out r {SMALL}", "search photos.lance spoilt/a.jpg"):
        refused(line, "a.jpg", why, "check the files")


def test_two_per_cent_corrupt(here, refused):
    for number in range(4):
        text(here / "photos" / f"{number:03d}.png")
    words = ("4", "000.png", "not an image", "1%", "remove")
    refused(f"pretrain photos --out r {SMALL}", "4 of 200", *words)
    refused("embed trained photos --out spoilt.lance --device cpu", *words)
    refused("evaluate trained photos --device cpu", "4 of 200", *words)


@pytest.mark.parametrize("shape", [(6,), (8, 8, 3)])
def test_nan_in_an_array(here, refused, shape):
    array = np.random.default_rng(0).random((200, *shape), np.float32)
    array[7, 3] = np.nan
    np.save("holes.npy", array)
    refused(
        f"pretrain holes.npy --out r {TRAINING}",
        "00007" if len(shape) == 1 else "Row 7",
        "holes.npy",
        "NaN",
        "remove it or fill it in",
    )
    refused("preview holes.npy", "NaN", "remove it or fill it in")


@pytest.mark.parametrize(
    "command",
    ["inspect {}", "preview {}", f"pretrain {{}} --out r {SMALL}", "evaluate trained {}", "embed trained {} --out a.lance"],
)
def test_a_missing_source(refused, command):
    refused(command.format("photo"), "There is no photo", "did you mean photos")
    refused(command.format("nowhere/at/all"), "There is no nowhere/at/all", "give a folder of images")


def test_files_that_are_something_else(here, refused):
    Path("notes.pdf").write_text("x")
    refused("inspect notes.pdf", "notes.pdf is a file that Tacit does not open", "give images")
    Path("junk.npy").write_bytes(b"junk")
    refused("inspect junk.npy", "junk.npy is no numpy file", "numpy.save")
    Path("junk.npz").write_bytes(b"PK\3\4junk")
    refused("inspect junk.npz", "junk.npz is no readable numpy file", "numpy.savez")


def test_samples_of_another_kind(here, refused):
    np.save("rows.npy", np.zeros((9, 5), np.float32))
    refused(
        "embed trained rows.npy --out rows.lance --device cpu", "kind vector", "trained on image", "give a source of that kind"
    )
    refused(f"pretrain photos --out r --as vector {SMALL}", "photos holds images", "leave out --as vector")
    refused(f"pretrain rows.npy --out r --size 32 {TRAINING}", "--size 32", "leave it out")


# ---- names and values ----


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--method simcrl", ("method 'simcrl'", "'simclr'")),
        ("--encoder small_resnt", ("encoder 'small_resnt'", "'small_resnet'")),
        ("--encoder timm/resnt18", ("'resnt18'", "'timm/resnet18'")),
        ("--method simclr --temprature 0.2", ("option 'temprature'", "'temperature'")),
        ("--optimizer adm", ("optimizer 'adm'", "'adamw'")),
        ("--recipe smal", ("recipe 'smal'", "'small'")),
        ("--device cup", ("device 'cup'", "'cpu'")),
        ("--precision fp23", ("precision 'fp23'", "'fp32'")),
        ("--as imag", ("kind of data 'imag'", "'image'")),
        ("--batch 500", ("batch of 500", "200 samples of photos", "--batch 100 or less")),
        ("--batch 1", ("batches of 1", "--batch 2 or more")),
        ("--batch 0", ("batch is 0", "above 0")),
        ("--epochs many", ("epochs is 'many'", "a whole number")),
        ("--epochs 1.5", ("epochs is 1.5", "a whole number")),
        ("--lr nan", ("lr is 'nan'", "a number")),
        ("--momentum 1.5", ("momentum 1.5", "[0, 1)")),
        ("--warmup -1", ("warmup is -1", "0 or more")),
        ("--milestones [0.5,x]", ("milestones is 'x'", "a number")),
        ("--hold 3", ("hold is 3", "a mapping such as {prototypes: 1}")),
        ("--turns critic", ("--turns names critic", "no players")),
        ("--accumulate 2", ("cannot be accumulated", "leave --accumulate out")),
        ("--method simclr --temperature nonsense", ("temperature is 'nonsense'", "a number")),
        ("--method simclr --temperature 0", ("temperature is 0", "above 0")),
        ("--dim 0", ("dim is 0", "above 0")),
        ("--method npid --inertia 3", ("inertia 3", "in [0, 1)")),
        ("--crop [0.5,2]", ("crop is 0.5, 2", "up to 1.0")),
        ("--crop [0.5,0.2]", ("crop is 0.5, 0.2", "the smaller first")),
        ("--crop 3", ("crop is 3", "give 2 numbers such as [0.2, 1.0]")),
        ("--flip often", ("flip is 'often'", "a number such as 0.5")),
        ("--flip 7", ("flip is 7", "a probability")),
        ("--size 0", ("--size is 0", "4 or more")),
        ("--width wide", ("width is 'wide'", "such as 48")),
        ("--width 0", ("width 0", "from 1")),
        ("--devices 0", ("--devices is 0", "1 or more")),
        ("--minutes -1", ("--minutes is -1", "above 0")),
    ],
)  # fmt: skip
def test_an_option_that_cannot_be(refused, options, words):
    given = options.split()[::2]
    rest = " ".join(f"--{pair}" for pair in SMALL[2:].split(" --") if f"--{pair.split()[0]}" not in given)
    rest = rest.replace("--width 8 ", "") if "--encoder" in given else rest
    refused(f"pretrain photos --out r {rest} {options}", *words)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pretrain photos --seed three", ("--seed", '"three"')),
        ("pretrain photos --crop [0.2", ("--crop", "a list such as")),
        ("pretrian photos", ("pretrian", "pretrain")),
        ("embed trained photos", ("--out",)),
    ],
)
def test_wrong_usage(here, capsys, line, words):
    assert run(line.split()) == 2
    err = capsys.readouterr().err
    assert "Traceback" not in err and all(word in err for word in words)


def test_debug_shows_the_traceback(here, capsys):
    assert run(["inspect", "nowhere", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


# ---- where it is written ----


@pytest.mark.parametrize("source", ["photos", "trained/run.yaml"])
def test_a_folder_that_holds_another_run(refused, source):
    rest = SMALL if source == "photos" else "--quiet"
    refused(f"pretrain {source} --out trained {rest}", "trained holds another run already", "give another --out", "--resume")


def test_a_folder_that_is_a_file(here, refused):
    Path("note").write_text("mine")
    refused(f"pretrain photos --out note {SMALL}", "note is a file", "give another --out")
    refused("preview photos --out note/sheet.png", "note", "give a path")


def test_a_table_that_is_there(refused):
    refused("embed trained photos --out photos.lance --device cpu", "photos.lance is there already", "overwrite")


def test_a_table_of_another_encoder(here, refused):
    done(f"pretrain photos --out other --seed 1 {SMALL}")
    refused(
        "search photos.lance photos/000.png --run other", "photos.lance was made by another encoder", "/trained or embed again"
    )
    refused("embed other photos --out photos.lance --overwrite --device cpu", "made by another encoder", "give another name")


def test_what_is_no_table_and_what_is_no_query(refused):
    refused("search photo.lance 000.png", "There is no table photo.lance", "photos.lance")
    refused("search photos 000.png", "photos does not end in .lance", "give the table")
    refused("search photos.lance 00.png", "'00.png' is no id", "the nearest id is")
    refused("search photos.lance [1,2]", "2 numbers", "with the same encoder")
    refused("search photos.lance 000.png --top 0", "0 hits", "1 or more")
    refused("embed trained photos --out a.lance --batch 0", "--batch is 0", "1 or more")


class Full:
    """A disk that is full after so many files."""

    def __init__(self, room):
        self.room, self.save = room, checkpoint.save_file

    def __call__(self, *args, **rest):
        self.room -= 1
        if self.room < 0:
            Path(args[1]).write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.save(*args, **rest)


@pytest.mark.parametrize("room", [1, 2])
def test_a_full_disk_loses_nothing_and_is_gone_on_from(here, capsys, monkeypatch, room):
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save_file", Full(room))
        assert run(f"pretrain photos --out r {SMALL}".split()) == 1
    err = capsys.readouterr().err
    assert one_sentence(err) and "could not be written" in err and "No space left" in err and "free some space" in err
    assert not list(Path("r").glob(".*")) and not Path("r/encoder.safetensors").exists()
    tensors, facts = checkpoint.read(Path("r/stage-0.safetensors"))
    assert tensors and facts["at"]["finished"] == (room == 2)
    done("pretrain --resume --out r --quiet")
    resumed, undisturbed = (checkpoint.read(Path(f"{name}/encoder.safetensors"))[0] for name in ("r", "trained"))
    assert all(torch.equal(resumed[name], value) for name, value in undisturbed.items())


def test_a_disk_that_was_full_from_the_start(refused, monkeypatch):
    monkeypatch.setattr(checkpoint, "save_file", Full(0))
    refused(f"pretrain photos --out r {SMALL}", "could not be written", "free some space")


# ---- going on ----


def test_resuming_what_is_no_run(here, refused):
    refused("pretrain --resume --out nowhere", "nowhere holds no run", "give a folder that `tacit pretrain --out` wrote")
    refused("pretrain --resume --out photos", "photos holds no run")
    refused("pretrain --resume --out trained --epochs 3", "as it is configured", "leave --epochs out")
    for broken in ("a: [1,\n b: 2", "", "method: simclr\n"):
        Path("trained/run.yaml").write_text(broken)
        refused("pretrain --resume --out trained", "run.yaml is no run's configuration", "give one that")


def test_resuming_a_finished_run_changes_nothing(here, capsys):
    before = contents(here)
    done("pretrain --resume --out trained --quiet")
    assert "The run is in trained" in capsys.readouterr().out and contents(here) == before


def test_a_run_that_has_not_finished(here, refused):
    Path("trained/encoder.safetensors").unlink()
    refused("evaluate trained photos", "has not finished", "tacit pretrain --resume --out trained")
    file = Path("trained/stage-0.safetensors")
    file.write_bytes(file.read_bytes()[:1000])
    refused("pretrain --resume --out trained --quiet", "stage-0.safetensors is no whole file", "give a run's folder")


# ---- nothing foreign is executed ----


class Trap:
    """Leaves a file behind where it is unpickled."""

    def __reduce__(self):
        return (open, ("sprung", "w"))


def test_a_pickle_offered_as_weights(here, refused):
    torch.save({"weight": Trap()}, "trained/encoder.safetensors")
    torch.save({"weight": Trap()}, "weights.pt")
    refused(
        f"pretrain photos --out r --init trained {SMALL}", "trained/encoder.safetensors", "pickled checkpoints are never opened"
    )
    refused(
        f"pretrain photos --out r --init weights.pt {SMALL}",
        "weights.pt is a file",
        "give a run's folder",
        "pickled ones never",
    )
    refused("evaluate trained photos --device cpu", "trained/encoder.safetensors", "never opened")
    assert not Path("sprung").exists()


def test_a_pickle_offered_as_data(here, refused):
    Path("data.npy").write_bytes(pickle.dumps(Trap()))
    np.save("objects.npy", np.array([Trap()], object), allow_pickle=True)
    refused("inspect data.npy", "data.npy is no numpy file", "a pickle is never opened")
    refused("inspect objects.npy", "objects.npy holds Python objects", "save plain numbers")
    assert not Path("sprung").exists()


def test_weights_of_another_model(here, refused):
    refused(f"pretrain photos --out r --init nowhere {SMALL}", "nowhere holds no run", "give a folder")
    refused(
        f"pretrain photos --out r --init trained --width 12 {TRAINING}",
        "belong to another model",
        "options they were trained with",
    )
    done(f"pretrain photos --out r --init trained {TRAINING}")  # its encoder's options come with it
    assert yaml.safe_load(Path("r/run.yaml").read_text())["encoder_options"] == {"width": 8}


# ---- what looks bad and is not ----


def test_one_image_is_enough_to_search_with(here, capsys):
    done("search photos.lance photos/000.png --top 3")
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.split() == ["000.png", "1.0000"] and float(second.split()[1]) < 1
    done("embed trained photos/000.png --out one.lance --device cpu")
    assert "holds 1 vectors" in capsys.readouterr().out


def test_grey_images_where_colour_was_learned(here, capsys):
    grey = generated.tiny_images(20).pixels[..., :1]
    np.save("grey.npy", grey)
    np.save("colour.npy", np.repeat(grey, 3, 3))
    Image.fromarray(grey[0, :, :, 0]).save("grey.png")
    for name in ("grey", "colour"):
        done(f"embed trained {name}.npy --out {name}.lance --device cpu")
    capsys.readouterr()
    done("search colour.lance grey.png --top 1")
    assert capsys.readouterr().out.splitlines()[0].split() == ["00000", "1.0000"]
    done("search grey.lance grey.png --top 1")
    assert capsys.readouterr().out.splitlines()[0].split() == ["00000", "1.0000"]


# ---- lists, shards and datasets ----


def listed(here, count, missing=0):
    names = [f"photos/{number:03d}.png" for number in range(count)]
    return [f"gone/{number}.png" for number in range(missing)] + names[missing:]


def packed(here, count=200):
    with tarfile.open(here / "set.tar", "w") as archive:
        for file in sorted((here / "photos").iterdir())[:count]:
            archive.add(file, file.name)
    with tarfile.open(here / "set.tar") as archive:
        return [member.offset_data for member in archive.getmembers()]


def test_mixed_sizes_and_modes_work(here, capsys):
    Image.new("CMYK", (300, 40), (0, 200, 200, 0)).save("photos/wide.jpg")
    Image.new("LA", (5, 9)).save("photos/tall.png")
    Image.fromarray(np.arange(400, dtype=np.uint16).reshape(20, 20)).save("photos/deep.tif")
    done("inspect photos")
    said = capsys.readouterr().out
    assert "203 images" in said and "CMYK 1" in said and "I;16 1" in said and "TIFF 1" in said and "none found" in said
    done(f"pretrain photos --out r {SMALL}")


def test_a_parquet_list_with_missing_files(here, refused, capsys):
    pq.write_table(pa.table({"path": listed(here, 200, 4)}), "list.parquet")
    refused(f"pretrain list.parquet --out r {SMALL}", "4 of 200", "gone/0.png: No such file", "1% allowed", "remove or replace")
    pq.write_table(pa.table({"path": listed(here, 200, 1)}), "list.parquet")
    done(f"pretrain list.parquet --out r {SMALL}")
    (said,) = yaml.safe_load((here / "r" / "run.yaml").read_text())["data"]["corrupt"]
    assert said.startswith("gone/0.png: No such file")
    done("embed r list.parquet --out list.lance --device cpu")
    capsys.readouterr()
    shutil.copy("photos/007.png", "query.png")
    done("search list.lance query.png --top 1 --sheet found.png")
    assert capsys.readouterr().out.splitlines()[0].split() == ["photos/007.png", "1.0000"] and Path("found.png").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path,label\n", ("list.csv lists nothing", "one row per sample")),
        ("", ("list.csv lists nothing", "a header")),
    ],
)
def test_a_list_without_paths_or_rows(here, refused, text, words):
    Path("list.csv").write_text(text)
    refused("inspect list.csv", *words)
    refused(f"pretrain list.csv --out r {SMALL}", *words)


def test_a_shard_cut_in_the_middle(here, capsys):
    places = packed(here)
    file = here / "set.tar"
    file.write_bytes(file.read_bytes()[: places[150] + 50])
    done("inspect set.tar")
    said = capsys.readouterr().out
    assert "151 images" in said and "1 cannot be read" in said and "set/150: set.tar is cut in the middle of it" in said
    done(f"pretrain set.tar --out r {SMALL}")
    data = yaml.safe_load((here / "r" / "run.yaml").read_text())["data"]
    assert data["samples"] == 150 and data["corrupt"] == ["set/150: set.tar is cut in the middle of it"]
    done("embed r set.tar --out set.lance --device cpu")
    capsys.readouterr()
    done("search set.lance photos/007.png --top 1 --sheet found.png")
    assert capsys.readouterr().out.splitlines()[0].split() == ["set/007", "1.0000"] and Path("found.png").exists()


def test_a_shard_cut_in_its_first_images(here, refused):
    places = packed(here)
    file = here / "set.tar"
    file.write_bytes(file.read_bytes()[: places[3] + 50])
    refused(f"pretrain set.tar --out r {SMALL}", "1 of 4 samples of set.tar", "is cut in the middle of it", "1% allowed")


class Raising(torch.utils.data.Dataset):
    """200 images of which some raise."""

    def __init__(self, raising):
        self.pixels, self.raising = generated.tiny_images(200).pixels, raising

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, row):
        if row in self.raising:
            raise RuntimeError(f"the row {row} is gone")
        return torch.from_numpy(self.pixels[row]).permute(2, 0, 1) / 255, row % 3


def test_a_dataset_that_raises(here):
    options = {"encoder": "small_resnet", "width": 8, "epochs": 1, "batch": 16, "device": "cpu", "precision": "fp32"}
    run = tacit.pretrain(Raising({7}), method="simclr", out="r", quiet=True, **options)
    data = yaml.safe_load((here / "r" / "run.yaml").read_text())["data"]
    assert data["samples"] == 199 and data["corrupt"] == ["00007: RuntimeError: the row 7 is gone"]
    assert run.embed(Raising(set())).shape[0] == 200
    with pytest.raises(TacitError, match=r"4 of 200 samples of the dataset Raising .*00000: RuntimeError: the row 0 is gone"):
        tacit.pretrain(Raising({0, 1, 2, 3}), method="simclr", out="s", quiet=True, **options)


# ---- a few labels ----


@pytest.fixture
def labelled(here):
    """A list of labels for 60 of the photos, by a rule, and a head that was fitted on it."""
    rows = [f"{number:03d}.png,{'even' if number % 2 == 0 else 'odd'}" for number in range(60)]
    (here / "labels.csv").write_text("\n".join(["id,label", *rows]))
    done("fit trained labels.csv --out head --head prototypes --device cpu")
    return here


def test_labels_that_nothing_can_be_learned_from(labelled, refused):
    def told(text, *words):
        (labelled / "bad.csv").write_text(text)
        refused("fit trained bad.csv --out other --device cpu", *words)

    told("", "bad.csv is empty", "give a header")
    told("id,lable\n000.png,a\n", "no column of bad.csv 'label'", "did you mean 'lable'")
    told("id,label\n000.png,a\n001.png,a\n", "one label only, 'a'", "two classes or more")
    told("id,label\n000.png,a\n000.png,b\n", "gives '000.png' two labels")
    told("id,label\n00.png,a\n01.png,b\n", "2 of 2 labels of bad.csv are of no sample of", "'00.png', '01.png'", "--data")
    told("id,label\n000.png,\n001.png,nan\n", "no label but empty ones")


def test_a_head_that_is_there_and_one_that_is_not(labelled, refused):
    refused("fit trained labels.csv --out head --device cpu", "head is there already", "another --out")
    refused("predict nothing photos --out p.csv", "nothing holds no head", "tacit fit --out")
    refused("predict head photos --out p.txt", "p.txt is no .csv, .tsv or .parquet")
    refused("predict head nowhere --out p.csv --device cpu", "no nowhere")
    refused("fit trained labels.csv --out other --head see --device cpu", "no head 'see'", "did you mean 'sea'")


def test_a_head_whose_run_has_moved_or_changed(labelled, refused, capsys):
    done(f"pretrain photos --out again --seed 1 {SMALL}")
    refused("predict head photos --out p.csv --run again --device cpu", "another encoder", "--run")
    (labelled / "trained").rename(labelled / "elsewhere")
    refused("predict head photos --out p.csv --device cpu", "trained of this head is not there", "--run")
    capsys.readouterr()
    done("predict head photos --out p.csv --run elsewhere --device cpu")
    assert (
        "p.csv holds 200 predictions" in capsys.readouterr().out and len((labelled / "p.csv").read_text().splitlines()) == 201
    )
