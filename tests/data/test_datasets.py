import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset, IterableDataset, Subset, TensorDataset

import tacit.data
from tacit.data.checking import verify
from tacit.data.inspecting import inspect
from tacit.errors import TacitError

PIXELS = np.random.default_rng(0).integers(0, 256, (10, 6, 8, 3), dtype=np.uint8)
CHW = torch.from_numpy(PIXELS).permute(0, 3, 1, 2)


class Items(Dataset):
    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, row):
        if isinstance(self.items[row], Exception):
            raise self.items[row]
        return self.items[row]


def pixels(samples):
    content, bad = samples.read(np.arange(len(samples)))
    assert not bad
    return content.pixels.numpy()


@pytest.mark.parametrize(
    "form",
    [
        Image.fromarray,
        lambda image: image,
        lambda image: (image / 255).astype(np.float32),
        torch.from_numpy,
        lambda image: torch.from_numpy(image).permute(2, 0, 1),
        lambda image: torch.from_numpy(image).permute(2, 0, 1) / 255,
        lambda image: (torch.from_numpy(image).permute(2, 0, 1), 3, "more"),
    ],
    ids=["pillow", "array", "float array", "tensor", "channels first", "float channels first", "tuple"],
)
def test_every_form_of_an_item_gives_its_pixels(form):
    samples = tacit.data.open(Items([form(image) for image in PIXELS]))
    assert samples.kind == "image" and samples.ids[3] == "00003" and (pixels(samples) == PIXELS).all()
    assert samples.facts()["shape"] == [3, 6, 8] and samples.with_side(3).read(np.arange(2))[0].pixels.shape == (2, 3, 4, 3)


def test_grey_items_booleans_and_sixteen_bits():
    grey = PIXELS[..., 0]
    for items in ([*grey], [*torch.from_numpy(grey)[:, None]], [*(grey.astype(np.uint16) * 257)]):
        assert (pixels(tacit.data.open(Items(items)))[..., 0] == grey).all()
    assert (pixels(tacit.data.open(Items([*(grey > 99)])))[..., 0] == (grey > 99) * 255).all()


def test_labels_are_carried_and_never_needed():
    assert tacit.data.open(TensorDataset(CHW)).labels is None
    samples = tacit.data.open(TensorDataset(CHW, torch.arange(10) % 3 * 5))
    assert samples.classes == ("0", "5", "10") and samples.labels.tolist() == [i % 3 for i in range(10)]
    assert samples.take(np.array([4, 2])).labels.tolist() == [1, 2]
    assert tacit.data.open(Items([(image, "a name") for image in PIXELS])).labels is None


@pytest.mark.parametrize("second", [torch.tensor, np.array, float, np.float64])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2.5, 2.0])
def test_floats_are_no_labels_whoever_holds_them(second, value):
    assert tacit.data.open(Items([(image, second(value)) for image in PIXELS])).labels is None


@pytest.mark.parametrize("second", [int, torch.tensor, np.array, np.int8])
def test_integers_are_labels_whoever_holds_them(second):
    assert tacit.data.open(Items([(image, second(i % 2)) for i, image in enumerate(PIXELS)])).labels.tolist() == [0, 1] * 5


def test_declared_labels_are_taken_where_they_are_true():
    dataset = Items([(image, i % 2) for i, image in enumerate(PIXELS)])
    dataset.targets, dataset.classes = [i % 2 for i in range(10)], ["cat", "dog"]
    assert tacit.data.open(dataset).classes == ("cat", "dog")
    assert tacit.data.open(Subset(dataset, [1, 2, 5])).labels.tolist() == [1, 0, 1]
    dataset.targets = [1 - i % 2 for i in range(10)]
    assert tacit.data.open(dataset).labels.tolist() == [i % 2 for i in range(10)]


def test_an_item_that_raises_is_a_corrupt_sample():
    items = [*PIXELS] * 20
    items[7] = KeyError("no such\nrow")
    samples = tacit.data.open(Items(items))
    kept, corrupt = verify(samples)
    assert [(one.id, one.why) for one in corrupt] == [("00007", "KeyError: 'no such\\nrow'")] and len(kept) == 199
    found = inspect(Items(items))
    assert [one.id for one in found.trouble] == ["00007"] and "200 images" in str(found)


def test_the_image_that_was_given_is_left_as_it_was(save):
    image = Image.open(save("a.jpg", np.zeros((64, 64, 3), np.uint8)))
    assert tacit.data.open(Items([image, image])).with_side(4).read(np.arange(2))[0].pixels.shape == (2, 4, 4, 3)
    assert image.size == (64, 64)


class Stream(IterableDataset):
    def __iter__(self):
        yield from PIXELS


class Endless(Dataset):
    def __getitem__(self, row):
        return PIXELS[0]


@pytest.mark.parametrize(
    ("dataset", "says"),
    [
        (Stream(), "Stream is an IterableDataset, .* give a map-style Dataset"),
        (Endless(), "Endless has no length"),
        (Items([]), "is empty"),
        (Items([{"image": 1}] * 3), "Item 0 of the dataset is a dict"),
        (Items([*(PIXELS / 1.0)]), r"from 0 to 249; .*leave Normalize out"),
        (Items([*(CHW / 255 - 0.5)]), "real numbers in \\[0, 1\\]"),
        (Items([*PIXELS.astype(np.int64)]), "holds int64"),
        (Items([*PIXELS.reshape(10, -1)]), r"shape \(144,\)"),
        (Items([ValueError("broken")] * 3), r"None of the 3 images .*ValueError: broken"),
    ],
)
def test_what_cannot_be_learned_from_is_said_in_one_sentence(dataset, says):
    with pytest.raises(TacitError, match=says) as error:
        tacit.data.open(dataset)
    assert "\n" not in str(error.value)


def test_nan_in_one_item_is_that_items_fault():
    items = [*(CHW / 255)]
    items[3] = items[3] * np.nan
    assert tacit.data.open(Items(items)).read(np.arange(10))[1] == {3: "it holds NaN"}
