import os
import struct
import threading
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from tacit.data import decoding
from tacit.data.decoding import LIMIT, Unreadable, at_once, bits_for, brightest, decode, fit, header, stacked, to_8_bits
from tacit.errors import TacitError

NOISE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def decoded(*args):
    return decode(*args).pixels


def bomb(path, side=30_000):
    """A PNG whose header claims side × side pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )
    return path


def test_rgb_png_comes_back_exactly(save):
    assert (decoded(save("a.png", NOISE), 256, 3) == NOISE).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_agrees_with_pillow(save, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save("a.jpg", NOISE, exif=exif, quality=95)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    assert (decoded(path, 256, 3) == expected).all()
    assert header(path)[2:] == expected.shape[:2]


def test_broken_exif_does_not_condemn_the_pixels(save):
    assert decoded(save("a.jpg", NOISE, exif=b"Exif\0\0garbage"), 256, 3).shape == NOISE.shape


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I"])
def test_every_mode_becomes_colour_and_grey(tmp_path, mode):
    ramp = np.tile(np.linspace(0, 255, 30).astype(np.uint8), (20, 1))
    if mode == "I;16":
        image = Image.fromarray(ramp.astype(np.uint16) * 257)
    elif mode == "I":
        image = Image.fromarray(ramp.astype(np.int32) * 257)
    else:
        image = Image.fromarray(ramp).convert(mode)
    path = tmp_path / {"CMYK": "a.jpg", "YCbCr": "a.jpg", "I": "a.tif"}.get(mode, "a.png")
    image.save(path, **({"quality": 100} if path.suffix == ".jpg" else {}))
    grey, colour = decoded(path, 256, 1), decoded(path, 256, 3)
    assert grey.shape == (20, 30, 1) and colour.shape == (20, 30, 3)
    if mode == "1":
        assert set(np.unique(grey)) == {0, 255}
    else:
        tolerance = 10 if path.suffix == ".jpg" else 3 if mode == "P" else 0
        assert np.abs(grey[:, :, 0].astype(int) - ramp).max() <= tolerance
        assert np.abs(colour.astype(int) - ramp[:, :, None]).max() <= tolerance


def test_transparency_is_laid_on_white(tmp_path):
    pixels = np.zeros((2, 3, 4), np.uint8)
    pixels[:, :, 0] = 200
    pixels[:, 1, 3], pixels[:, 2, 3] = 128, 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    found = decoded(tmp_path / "a.png", 256, 3)[0].astype(int)
    assert found[0].tolist() == [255, 255, 255] and found[2].tolist() == [200, 0, 0]
    assert np.abs(found[1] - [227, 127, 127]).max() <= 1
    Image.new("P", (4, 4), 0).save(tmp_path / "p.png", transparency=0)
    assert (decoded(tmp_path / "p.png", 256, 3) == 255).all()


def test_side_shrinks_and_cuts_but_never_enlarges():
    def size(width, height, side):
        return fit(Image.new("RGB", (width, height)), side).size

    assert size(100, 80, 40) == (50, 40)
    assert size(1000, 80, 40) == (80, 40)  # the long side is cut at twice the short
    assert size(80, 1000, 200) == (80, 160)
    assert size(30, 20, 256) == (30, 20)


def test_the_cut_is_central():
    pixels = np.zeros((10, 40), np.uint8)
    pixels[:, 10:30] = 255
    assert (np.asarray(fit(Image.fromarray(pixels), 256)) == 255).all()


def test_shrinking_is_antialiased_for_png_and_jpeg(save):
    board = np.kron(np.indices((64, 64)).sum(0) % 2, np.ones((2, 2))).astype(np.uint8)[:, :, None].repeat(3, 2) * 255
    for name in ("a.png", "a.jpg"):
        small = decoded(save(name, board), 16, 3)
        assert small.shape == (16, 16, 3) and np.abs(small.astype(int) - 128).max() < 12


def test_a_jpeg_shrinks_to_the_right_size_at_any_draft(save):
    path = save("a.jpg", (9, 9, 9), (517, 301))
    for side in (300, 200, 100, 30):  # `draft` rounds the sides to whole pixels once before
        height, width, _ = decoded(path, side, 3).shape
        assert height == side and abs(width - side * 517 / 301) < 1


@pytest.mark.parametrize(
    ("name", "spoil", "why"),
    [
        ("text.jpg", lambda path: path.write_text("not an image"), "not an image"),
        ("empty.png", lambda path: path.write_bytes(b""), "empty"),
        ("cut.jpg", lambda path: path.write_bytes(path.read_bytes()[: len(path.read_bytes()) // 2]), "(?i)truncated"),
        ("cut.png", lambda path: path.write_bytes(path.read_bytes()[:-60]), "(?i)truncated"),
        ("bomb.png", bomb, "89 million pixels"),
        ("large.png", lambda path: bomb(path, int(LIMIT**0.5) + 1), "89 million pixels"),
        ("gone.jpg", lambda path: path.unlink(), "No such file"),
        ("ps.png", lambda path: path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), "not an image"),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_broken_files_are_refused_with_a_reason(save, name, spoil, why):
    path = save(name, NOISE)
    spoil(path)
    with pytest.raises(Unreadable, match=why):
        decoded(path, 256, 3)


def test_equal_shapes_are_stacked_and_others_padded():
    assert (stacked([NOISE, NOISE], 3).pixels.numpy() == NOISE).all()
    pixels, sizes = stacked([NOISE, NOISE[:5, :7]], 3)
    assert sizes.tolist() == [[20, 30], [5, 7]] and pixels.shape == (2, 20, 30, 3)
    assert (pixels[1, :5, :7].numpy() == NOISE[:5, :7]).all() and pixels[1].sum() == NOISE[:5, :7].sum()
    assert stacked([], 1).pixels.shape == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.webp", {"lossless": True}),
        ("a.bmp", {}),
        ("a.tif", {}),
        ("a.tiff", {"compression": "tiff_lzw"}),
        ("a.ppm", {}),
        ("a.png", {"interlace": 1}),
    ],
)
def test_lossless_formats_give_their_values(save, name, options):
    path = save(name, NOISE, **options)
    assert (decoded(path, 256, 3) == NOISE).all() and (decoded(path.read_bytes(), 256, 3) == NOISE).all()
    assert header(path) == header(path.read_bytes()) and header(path).format in ("WEBP", "BMP", "TIFF", "PPM", "PNG")


def test_lossy_formats_give_nearly_their_values(save):
    ramp = np.stack(np.broadcast_arrays(np.arange(0, 240, 8)[None], np.arange(0, 240, 12)[:, None], 99), 2).astype(np.uint8)
    for name in ("a.webp", "a.jpg"):
        assert np.abs(decoded(save(name, ramp, quality=95), 256, 3).astype(int) - ramp).max() < 16


def test_cmyk_jpeg_is_neither_inverted_nor_mixed(tmp_path):
    for colour in ((255, 255, 255), (220, 30, 30), (20, 20, 200)):
        Image.new("RGB", (16, 16), colour).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
        assert header(tmp_path / "a.jpg").mode == "CMYK"
        assert np.abs(decoded(tmp_path / "a.jpg", 256, 3)[8, 8].astype(int) - colour).max() <= 4


def test_what_is_open_already_is_decoded_and_left_alone():
    image = Image.fromarray(NOISE)
    assert (decoded(image, 256, 3) == NOISE).all() and header(image) == ("", "RGB", 20, 30)
    assert decoded(image, 10, 1).shape == (10, 15, 1) and image.size == (30, 20)


def test_bits_of_sixteen(tmp_path):
    assert [bits_for(most) for most in (0, 255, 256, 1023, 4095, 4096, 16383, 65535)] == [8, 8, 10, 10, 12, 14, 14, 16]
    assert to_8_bits(np.array([0, 1, 2047, 2048, 4095, 9999], np.uint16), 12).tolist() == [0, 0, 127, 128, 255, 255]
    assert (to_8_bits(np.arange(65536), 16) == np.rint(np.arange(65536) * 255 / 65535)).all()
    values = np.array([[0, 1000, 4095]] * 2, np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    Image.fromarray(values).save(tmp_path / "a.tif")
    for path in (tmp_path / "a.png", tmp_path / "a.tif"):
        assert brightest(path) == 4095 and decoded(path, 256, 1, 12)[0, :, 0].tolist() == [0, 62, 255]
        assert decoded(path, 256, 3)[0, :, 0].tolist() == [0, 4, 16]
        assert decode(path, 256, 1, 10).clipped and not decode(path, 256, 1, 12).clipped
    assert brightest(Image.fromarray(NOISE)) == 0 and not decode(Image.fromarray(NOISE), 256, 3, 8).clipped


def test_what_is_done_at_once_comes_in_order():
    assert at_once(lambda n: n * n, range(100)) == [n * n for n in range(100)] and at_once(str, []) == []
    with pytest.raises(KeyError):
        at_once({0: 1}.__getitem__, range(50))
    assert at_once(abs, [-1]) == [1]


def test_a_file_that_hangs_is_named(monkeypatch):
    """Others are read from then on, and what had not begun is not."""
    monkeypatch.setattr(decoding, "PATIENCE", 0.2)
    answer, begun = threading.Event(), []

    def read(name):
        begun.append(name)
        return answer.wait(60) if name == "b" else name

    try:
        with pytest.raises(
            TacitError, match=r"the second is there but has not been read after 0\.00333333 minutes; see whether"
        ):
            at_once(read, ["a", "b"] + ["b"] * (os.cpu_count() or 1) + ["c"], ["the first", "the second"])
    finally:
        answer.set()
    assert at_once(read, ["d"]) == ["d"] and "c" not in begun


def test_a_named_pipe_is_no_image(tmp_path):
    os.mkfifo(tmp_path / "x.png")
    for call in (header, lambda path: decode(path, 8, 3)):
        with pytest.raises(Unreadable, match="it is no regular file"):
            call(tmp_path / "x.png")
        with pytest.raises(Unreadable, match="No such file"):
            call(tmp_path / "y.png")
