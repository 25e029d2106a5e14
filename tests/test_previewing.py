"""`preview`: a sheet of the views that training would see."""

import numpy as np
import pytest
from PIL import Image

from tacit.data.generated import clusters, pairs, tiny_images
from tacit.errors import TacitError
from tacit.previewing import preview
from tests.contracts.probes import Curved, FewLabels, Origin, TwoPlayers


def pixels(file):
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize(
    "method, data",
    [
        ("simclr", lambda: tiny_images(20)),
        ("npid", lambda: tiny_images(20)),
        ("mae", lambda: tiny_images(20)),
        ("simclr", lambda: clusters(20, dim=16)),
        (FewLabels, lambda: clusters(20, dim=16)),
        (Origin, lambda: clusters(20, dim=16)),
        (TwoPlayers, lambda: tiny_images(20)),
        (Curved, lambda: pairs(20, dim=8)),
    ],
)
def test_every_kind_of_data_has_a_sheet(tmp_path, method, data):
    out = tmp_path / "deep" / "sheet.png"
    assert preview(data(), method, out=out, count=3) == out
    assert pixels(out).std() > 5  # there is something on it


def test_the_same_seed_shows_the_same(cloth, tmp_path):
    first, again, other = (preview(cloth, out=tmp_path / f"{i}.png", seed=seed) for i, seed in enumerate((0, 0, 1)))
    assert np.array_equal(pixels(first), pixels(again)) and not np.array_equal(pixels(first), pixels(other))


def test_options_of_the_views_are_seen(cloth, tmp_path):
    plain = preview(cloth, out=tmp_path / "a.png", jitter=0, grey=0, blur=0)
    strong = preview(cloth, out=tmp_path / "b.png", jitter=1.0, grey=0, blur=0)
    assert not np.array_equal(pixels(plain), pixels(strong))


def test_more_samples_make_a_larger_sheet_and_never_more_than_there_are(cloth, tmp_path):
    few, many = (pixels(preview(cloth, out=tmp_path / f"{n}.png", count=n)) for n in (2, 6))
    assert many.size > few.size
    preview(tiny_images(3), out=tmp_path / "all.png", count=50)


def test_what_cannot_be_read_is_passed_over(tmp_path):
    for number, image in enumerate(tiny_images(4).pixels):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    (tmp_path / "1.png").write_bytes(b"")
    whole = preview(tmp_path, out=tmp_path / "out" / "sheet.png", count=4)
    assert pixels(whole).std() > 5


@pytest.mark.parametrize(
    "how, words",
    [
        ({"crops": [0.2, 1.0]}, "no option 'crops'; did you mean 'crop'"),
        ({"crop": [2, 1]}, "crop is 2, 1"),
        ({"count": 0}, "--count 1 or more"),
        ({"method": "simcrl"}, "did you mean 'simclr'"),
        ({"method": Curved}, "Curved wants Paired views, image data offers"),
        ({"size": 1}, "--size is 1"),
        ({"out": "sheet.txt"}, r"sheet.txt does not end as the name of a picture does; let it end in .png"),
        ({"kind": "vector"}, "--as vector"),
    ],
)
def test_what_is_refused_leaves_no_sheet(cloth, tmp_path, how, words):
    with pytest.raises(TacitError, match=words):
        preview(cloth, **{"out": tmp_path / "sheet.png", **how})
    assert list(tmp_path.iterdir()) == []


def test_small_data_shows_the_crops_of_the_small_recipe(cloth, tmp_path):
    two = preview(cloth, "dino", out=tmp_path / "two.png", count=2)
    all_ten = preview(cloth, "dino", out=tmp_path / "ten.png", count=2, small_crops=8)
    assert pixels(two).shape[1] < pixels(all_ten).shape[1]
