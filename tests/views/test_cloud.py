"""Views of point clouds: parts, poses, noise, and groups that are hidden."""

import math

import numpy as np
import pytest
import torch

from tacit.data.clouds.samples import Clouds, padded
from tacit.data.clouds.shapes import shapes
from tacit.errors import TacitError
from tacit.views import Program
from tacit.views.cloud import CloudViews
from tacit.views.kinds import MaskedGroups, MultiCrop

SHAPES = shapes(40)
INDEX = np.arange(40)
EXACT = "donot_use_mm_for_euclid_dist"
CONTENT, _ = SHAPES.read(INDEX)
VIEWS = CloudViews.fit(SHAPES.facts(), points=100)
STILL = {"turn": 0.0, "tilt": 0.0, "scale": (1.0, 1.0), "jitter": 0.0}


def among(view, points):
    """How far each point of a view is from the nearest point of the cloud."""
    return torch.cdist(view, points, compute_mode=EXACT).amin(-1)


def test_plain_is_the_cloud_itself():
    view, drawn = VIEWS.look(CONTENT, INDEX, 0, "plain")
    assert torch.equal(view, CONTENT.points[:, :100]) and drawn == {}
    few, _ = VIEWS.look(padded([CONTENT.points[0, :16].numpy()]), INDEX[:1], 0, "plain")
    assert torch.equal(few[0, :16], few[0, 16:32])


def test_without_pose_or_noise_a_view_holds_points_of_its_cloud():
    view, drawn = VIEWS.look(CONTENT, INDEX, 3, **STILL)
    for row, cloud, count in zip(view, CONTENT.points, CONTENT.counts.tolist()):
        assert among(row, cloud[:count]).max() < 1e-6
    assert drawn["share"].min() >= 0.6 and torch.allclose(drawn["rotation"], torch.eye(3))


def test_a_crop_is_the_neighbourhood_of_a_point():
    view, _ = VIEWS.look(CONTENT, INDEX, 3, "local", local_crop=(0.2, 0.2), **STILL)
    assert view.shape == (40, 50, 3)
    for row, cloud, count in zip(view, CONTENT.points, CONTENT.counts.tolist()):
        shown = among(cloud[:count], row) < 1e-6
        if math.ceil(0.2 * count) > 50:
            continue
        assert shown.sum() == math.ceil(0.2 * count)
        apart = torch.cdist(cloud[:count], cloud[:count], compute_mode=EXACT)
        radius = apart[:, shown].amax(1)
        inside = (apart <= radius[:, None]).sum(1)
        assert (inside[shown] == shown.sum()).any()  # around one of them there is no other point as near


def test_the_pose_is_a_rotation_and_every_pose_is_as_likely():
    index = np.arange(4000)
    content = Clouds(CONTENT.points[:1].expand(4000, -1, -1), CONTENT.counts[:1].expand(4000))
    _, drawn = VIEWS.look(content, index, 5)
    rotation = drawn["rotation"]
    torch.testing.assert_close(rotation @ rotation.transpose(1, 2), torch.eye(3).expand(4000, 3, 3), atol=1e-5, rtol=0)
    assert torch.allclose(torch.linalg.det(rotation), torch.ones(4000), atol=1e-5)
    assert rotation.mean(0).abs().max() < 0.03 and (rotation.square().mean(0) - 1 / 3).abs().max() < 0.03
    upright = VIEWS.look(content, index, 5, tilt=0.0)[1]["rotation"]
    assert (upright[:, 2, 2] > 0.9999).all() and abs(float(upright[:, 0, 0].mean())) < 0.05
    tipped = VIEWS.look(content, index, 5, tilt=30.0, turn=0.0)[1]["rotation"]
    assert tipped[:, 2, 2].min() >= math.cos(math.radians(30)) - 1e-5


def test_holes_cut_regions_out():
    whole = {**STILL, "crop": (1.0, 1.0), "points": 400}
    view, _ = VIEWS.look(CONTENT, INDEX, 2, **whole, holes=0.5)
    shown = [(among(c[:k], v) < 1e-6).float().mean() for v, c, k in zip(view, CONTENT.points, CONTENT.counts.tolist())]
    assert 0.3 < float(torch.stack(shown).mean()) < 0.7


def test_a_view_depends_on_its_sample_alone():
    for role in ("global", "local", "masked"):
        some = np.array([7, 3])
        few, _ = SHAPES.read(some)
        whole, part = (VIEWS.look(c, i, 1, role, holes=0.2)[0] for c, i in ((CONTENT, INDEX), (few, some)))
        for one, other in zip(whole if role == "masked" else [whole], part if role == "masked" else [part]):
            torch.testing.assert_close(one[[7, 3]], other, atol=1e-6, rtol=0)


def test_masked_views_are_groups_of_which_equally_many_are_hidden():
    (view,), (drawn,) = Program(MaskedGroups(), VIEWS)(CONTENT, INDEX, 0)
    assert view.points.shape == (40, 32, 16, 3) and view.centres.shape == (40, 32, 3)
    assert (drawn["mask"].sum(1) == 19).all() and drawn["keep"].shape == (40, 13)
    assert not drawn["mask"].gather(1, drawn["keep"]).any()


def test_large_and_small_crops():
    views, _ = Program(MultiCrop(large=2, small=3), VIEWS)(CONTENT, INDEX, 0)
    assert [view.shape[1] for view in views] == [100, 100, 50, 50, 50]


def test_raw_input_does_not_depend_on_the_order_of_points():
    view, _ = VIEWS.look(CONTENT, INDEX, 0, "plain")
    raw = VIEWS.raw(view)
    assert raw.shape == (40, 512) and torch.allclose(raw.sum(1), torch.ones(40))
    torch.testing.assert_close(VIEWS.raw(view.flip(1)), raw)


@pytest.mark.parametrize(
    "options",
    [{"turn": 200}, {"jitter": -1}, {"crop": [0.5, 1.5]}, {"holes": 1.0}, {"mask_ratio": 1.0}, {"points": 1}, {"jiter": 0}],
)
def test_mistakes_are_named(options):
    with pytest.raises(TacitError):
        CloudViews.fit(SHAPES.facts(), **options)


def test_an_unknown_role():
    with pytest.raises(TacitError, match="role"):
        VIEWS.look(CONTENT, INDEX, 0, "aside")
