from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tacit.embeddings.search import Hit
from tacit.embeddings.sheet import FRAME, GAP, contact_sheet, thumbnail


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


@pytest.mark.parametrize("shape", [(64, 64, 3), (1, 7, 3), (28, 20, 1)])
def test_small_images_are_kept_as_they_are(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    image = opened(thumbnail(pixels[:, ::-1]))  # a view that is not contiguous
    assert image.format == "PNG"
    assert np.array_equal(np.asarray(image).reshape(shape), pixels[:, ::-1])


@pytest.mark.parametrize(("shape", "size"), [((128, 256, 3), (64, 32)), ((2000, 5, 3), (1, 64)), ((100, 100, 1), (64, 64))])
def test_large_images_are_shrunk(shape, size):
    image = opened(thumbnail(np.full(shape, 77, np.uint8)))
    assert (image.format, image.size) == ("JPEG", size)
    assert abs(np.asarray(image).astype(int) - 77).max() <= 2


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 3))]
)
def test_what_is_no_image_is_refused(pixels):
    with pytest.raises(ValueError, match="thumbnail"):
        thumbnail(pixels)


def square(colour) -> bytes:
    return thumbnail(np.full((32, 32, 3), colour, np.uint8))


def test_pictures_stand_in_order_with_the_query_in_a_frame():
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (9, 9, 9), (90, 90, 90), (0, 90, 90)]
    hits = [Hit(f"{i}.png", 1 - i / 10, None, None, square(c)) for i, c in enumerate(colours[1:])]
    sheet = contact_sheet(square(colours[0]), hits)
    wide, high = FRAME + GAP, (sheet.height - GAP) // 2
    centres = [(GAP + i % 5 * wide + FRAME // 2, GAP + i // 5 * high + FRAME // 2) for i in range(6)]
    assert [sheet.getpixel(centre) for centre in centres] == colours
    framed = [sheet.getpixel((x, y - FRAME // 2 - 4)) != (255, 255, 255) for x, y in centres]
    assert framed == [True] + [False] * 5
    alone = contact_sheet(None, hits)
    assert [alone.getpixel(centre) for centre in centres[:5]] == colours[1:]


def test_pictures_that_are_none_become_empty_squares():
    bomb = BytesIO()
    Image.new("RGB", (1025, 1)).save(bomb, "PNG")
    cut = square((1, 2, 3))[:60]
    for picture in (None, b"", b"nothing", cut, bomb.getvalue()):
        sheet = contact_sheet(None, [Hit("a" * 300, -1.0, None, None, picture)])
        assert sheet.getpixel((GAP + 5, GAP + 5)) == (236, 236, 239)
    assert contact_sheet(None, []).size == (FRAME + 2 * GAP, contact_sheet(None, [Hit("a", 1.0, None, None, None)]).height)
