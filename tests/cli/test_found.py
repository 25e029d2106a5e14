"""What a search found is printed, whatever becomes of its contact sheet."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tacit.cli import run
from tacit.views import sheet

LINE = ["search", "photos.lance", "000.png", "--top", "3"]


def test_a_picture_of_the_users_own_stays(here, capsys):
    assert run(LINE) == 0 and run(LINE) == 0  # its own is replaced
    assert "The contact sheet is in search.png." in capsys.readouterr().out and Image.open("search.png").size[0] > 100
    Image.new("RGB", (4, 4)).save("search.png")
    mine = Path("search.png").read_bytes()
    assert run(LINE) == 0 and Path("search.png").read_bytes() == mine
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 4 and said[3].startswith("search.png is there and no contact sheet, so that none is drawn; say")
    assert run([*LINE, "--sheet", "search.png"]) == 0 and Path("search.png").read_bytes() != mine  # as it was asked for


@pytest.mark.parametrize("where", ["full.png", "file/sheet.png", "sheet.xyz"])
def test_hits_are_printed_where_the_sheet_cannot_be(here, capsys, monkeypatch, where):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    Path("file").touch()
    monkeypatch.setattr(sheet.Image.Image, "save", full)
    assert run([*LINE, "--sheet", where]) == 1 and not Path(where).exists()
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 3 and said.err.startswith(f"tacit: {where} ") and ";" in said.err


@pytest.mark.parametrize("name", ["sheet.psd", "sheet.h5", "sheet.webp"])
def test_hits_are_printed_where_a_format_cannot_be_written(here, capsys, monkeypatch, name):
    def large(*_, **__):
        raise ValueError("encoding error 5: Image size exceeds WebP limit of 16383 pixels")

    monkeypatch.setattr(sheet.Image.Image, "save", large)
    assert run([*LINE, "--sheet", name]) == 1 and not Path(name).exists()
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 3 and said.err.startswith(f"tacit: {name} ") and "let it end in .png" in said.err


def test_one_row_alone(here, capsys):
    np.save("one.npy", np.ones((1, 4), np.float32))
    assert run(["table", "one.lance", "--import", "one.npy", "--encoder", "e"]) == 0
    capsys.readouterr()
    assert run(["search", "one.lance", "0"]) == 0
    assert capsys.readouterr().out == "There is no other row in one.lance.\n"


def test_no_sheet_is_of_many(here, refused):
    refused("search photos.lance photos --out hits.parquet --sheet x.png", "--sheet draws what one query finds")
