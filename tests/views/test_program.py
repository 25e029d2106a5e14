"""A kind of view filled in by a modality: who is looked at, with which key, part and options."""

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as F

from tacit.data.samples import Images, Parts, Vectors
from tacit.errors import TacitError
from tacit.numerics import counter
from tacit.views import MODALITIES, Program, modality
from tacit.views.kinds import Fixed, Masked, MultiCrop, Neighbours, Pair, Paired, Plain, Single

VECTOR = {"kind": "vector", "shape": [4], "mean": [0.0] * 4, "std": [1.0] * 4}
IMAGE = {"kind": "image", "shape": [3, 16, 16], "size": 16, "mean": [0.5] * 3, "std": [0.2] * 3}
INDEX = np.array([3, 8, 1])


def vectors(seed=0):
    return Vectors(torch.randn(3, 4, generator=torch.Generator().manual_seed(seed)))


def images():
    return Images(torch.randint(0, 256, (3, 16, 16, 3), dtype=torch.uint8), torch.full((3, 2), 16))


def test_every_modality_of_the_table_is_there():
    for name in MODALITIES:
        assert modality(name).name == name
    with pytest.raises(TacitError, match="did you mean 'image'"):
        modality("images")


def test_views_differ_and_are_keyed_by_their_number():
    views = modality("vector").fit(VECTOR)
    (first, second), params = Program(Pair(), views)(vectors(), INDEX, key=11)
    assert torch.equal(first, views.look(vectors(), INDEX, counter.key(11, 0))[0])
    assert torch.equal(second, views.look(vectors(), INDEX, counter.key(11, 1))[0])
    assert len(params) == 2 and not torch.equal(first, second)


def test_a_partner_is_keyed_by_its_anchor_and_is_oneself_until_named():
    views, own, other = modality("vector").fit(VECTOR), vectors(), vectors(1)
    program = Program(Neighbours(), views)
    (_, seen), _ = program(own, INDEX, 5, partners=other)
    assert torch.equal(seen, views.look(other, INDEX, counter.key(5, 1))[0])
    (_, seen), _ = program(own, INDEX, 5)
    assert torch.equal(seen, views.look(own, INDEX, counter.key(5, 1))[0])


def test_options_of_a_kind_reach_its_views():
    views = modality("vector").fit(VECTOR)
    (clean, noisy), _ = Program(Pair(of={"vector": ({"noise": 0.0, "drop": 0.0}, {})}), views)(vectors(), INDEX, 0)
    assert torch.equal(clean, vectors().values) and not torch.equal(noisy, vectors().values)
    (first, second), _ = Program(Pair(of={"vector": {"noise": 0.0, "drop": 0.0}, "image": {"blur": 1.0}}), views)(
        vectors(), INDEX, 0
    )
    assert torch.equal(first, second)
    with pytest.raises(TacitError, match="3 views came where there are 2"):
        Program(Pair(of={"vector": ({}, {}, {})}), views)


def test_what_the_user_gives_does_not_reach_a_view_that_is_fixed():
    views, of = modality("vector").fit(VECTOR, noise=1.0), {"noise": 0.0, "drop": 0.0}
    settled = {"noise"}
    (fixed, _), _ = Program(Pair(of={"vector": (Fixed(of), {})}), views, settled=settled)(vectors(), INDEX, 0)
    (other, _), _ = Program(Pair(of={"vector": (of, {})}), views, settled=settled)(vectors(), INDEX, 0)
    assert torch.equal(fixed, vectors().values) and not torch.equal(other, fixed)


def test_many_crops_have_two_sizes():
    views, params = Program(MultiCrop(large=2, small=3), modality("image").fit(IMAGE, local_size=8))(images(), INDEX, 0)
    assert [tuple(x.shape[1:]) for x in views] == [(3, 16, 16)] * 2 + [(3, 8, 8)] * 3 and len(params) == 5


@pytest.mark.parametrize("kind", [Pair(), MultiCrop(large=2, small=3), Masked(), Neighbours()])
def test_the_box_in_the_parameters_is_what_a_view_shows(kind):
    """Cut by torchvision at that box and resized, the image is the view; padding is no part of it."""
    torch.manual_seed(0)
    sizes = torch.tensor([[40, 31], [17, 50], [40, 50]])
    given = Images(torch.randint(0, 256, (3, 40, 50, 3), dtype=torch.uint8), sizes)
    calm = {"flip": 0.0, "jitter": 0.0, "grey": 0.0, "blur": 0.0, "solarise": 0.0}
    program = Program(kind, modality("image").fit(IMAGE, local_size=8, **calm))
    views, params = program(given, INDEX, 3)
    boxes = []
    for x, drawn in zip(views, params):
        for i in range(3):
            box = drawn["box"][i] * sizes[i].repeat(2)
            whole = box.round()
            torch.testing.assert_close(box, whole, rtol=0, atol=1e-4)  # whole pixels
            top, left, height, width = whole.int().tolist()
            boxes.append((top, left, height, width))
            assert top + height <= sizes[i, 0] and left + width <= sizes[i, 1]
            image = given.pixels[i].permute(2, 0, 1).float() / 255
            naive = F.resized_crop(image, top, left, height, width, list(x.shape[2:]), antialias=True)
            torch.testing.assert_close(x[i], F.normalize(naive, IMAGE["mean"], IMAGE["std"]), rtol=0, atol=2e-4)
    assert len(set(boxes)) > len(boxes) - 2  # every view has a box of its own


def test_a_masked_view_is_whole_and_says_what_to_hide():
    views = modality("image").fit(IMAGE)
    (x,), (drawn,) = Program(Masked(of={"image": {"mask_ratio": 0.6}}), views)(images(), INDEX, 7)
    assert x.shape == (3, 3, 16, 16) and drawn["mask"].shape == (3, 64) and (drawn["mask"].sum(1) == 38).all()
    with pytest.raises(TacitError, match="wants Masked views, vector data offers"):
        Program(Masked(), modality("vector").fit(VECTOR))


def test_a_pair_shows_both_parts():
    pair = modality("pair").fit({"first": IMAGE, "second": VECTOR}, flip=0.0, drop=0.0)
    given = Parts(images(), vectors())
    (image, vector), _ = Program(Plain(), pair)(given, INDEX, 0)
    assert image.shape == (3, 3, 16, 16) and torch.equal(vector, vectors().values)
    (image, vector), params = Program(Paired(of={"pair": ({"jitter": 0.0}, {"noise": 0.0})}), pair)(given, INDEX, 0)
    assert torch.equal(vector, vectors().values) and not params[0]["flip"].any() and pair.shape == ((3, 16, 16), (4,))
    assert (params[0]["factors"] == torch.tensor([1.0, 1.0, 1.0, 0.0])).all()
    with pytest.raises(TacitError, match="did you mean 'noise'"):
        modality("pair").fit({"first": IMAGE, "second": VECTOR}, noyse=0.0)


def test_a_kind_that_is_not_offered_is_named():
    with pytest.raises(TacitError, match=r"SwAV wants MultiCrop views, vector data offers Plain, Single, Pair, Neighbours"):
        Program(MultiCrop(), modality("vector").fit(VECTOR), wanted_by="SwAV")
    with pytest.raises(TacitError, match="wants Single views, pair data offers Plain, Paired"):
        Program(Single(), modality("pair").fit({"first": IMAGE, "second": VECTOR}))
