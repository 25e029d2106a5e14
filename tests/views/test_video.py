"""Views of videos: which frames are shown, and that a clip's frames are cropped and coloured alike."""

import numpy as np
import pytest
import torch

from tacit.data.video.samples import from_videos
from tacit.errors import TacitError
from tacit.views import Program, video_times
from tacit.views.image import ImageViews
from tacit.views.kinds import Apart, MultiCrop, Pair, Shuffled, Speeds
from tacit.views.video import VideoViews

N, T, SIDE = 24, 40, 16
INDEX = np.arange(N)
RNG = np.random.default_rng(0)
STILL = RNG.integers(0, 256, (N, 1, SIDE, SIDE, 3), np.uint8).repeat(T, 1)  # every frame of a video alike
COUNTED = (np.arange(T, dtype=np.uint8)[None, :, None, None, None] * 6).repeat(N, 0).repeat(8, 2).repeat(8, 3)  # frame i is 6 i
FACTS = {"length": T, "height": SIDE, "width": SIDE, "mean": [0.5] * 3, "std": [0.25] * 3}
VIEWS = VideoViews.fit(FACTS)
PLAIN = {"crop": (1.0, 1.0), "ratio": (1.0, 1.0), "jitter": 0.0, "flip": 0.0, "grey": 0.0}


def content(array):
    return from_videos(array, "array", [str(i) for i in range(len(array))]).read(np.arange(len(array)))[0]


def counted(role="global", index=INDEX, key=3, **how):
    views = VideoViews.fit({"length": T, "height": 8, "width": 8, "mean": [0.0], "std": [1.0]})
    view, params = views.look(content(COUNTED)._replace(), index, key, role, **PLAIN, **how)
    return (view.mean((-1, -2)) * 255 / 6).round().long().squeeze(-2), params


def test_fit_chooses_for_the_data():
    assert (VIEWS.side, VIEWS.frames, VIEWS.every, VIEWS.blur) == (16, 8, 2, 0.0)
    assert VIEWS.shape == (3, 8, 16, 16)
    short = VideoViews.fit({**FACTS, "length": 3, "height": 200, "width": 300})
    assert (short.side, short.frames, short.every) == (64, 1, 1)


def test_plain_is_the_middle_clip_of_the_central_square():
    wide = RNG.integers(0, 256, (2, T, 16, 24, 3), np.uint8)
    view, params = VIEWS.look(content(wide), np.arange(2), 0, "plain")
    assert params["places"].tolist() == [[12, 14, 16, 18, 20, 22, 24, 26]] * 2
    expected = (torch.from_numpy(wide[:, 12:28:2, :, 4:20]).float().permute(0, 4, 1, 2, 3) / 255 - 0.5) / 0.25
    torch.testing.assert_close(view, expected)


def test_all_frames_of_a_clip_are_cropped_and_coloured_alike():
    view, _ = VIEWS.look(content(STILL), INDEX, 5)
    assert torch.equal(view, view[:, :, :1].expand_as(view))
    assert not torch.equal(view[0], view[1])
    loose, _ = VIEWS.look(content(STILL), INDEX, 5, steady=0.0)
    assert (loose[:, :, 0] - loose[:, :, 1]).abs().flatten(1).amax(1).gt(0.01).float().mean() > 0.9
    assert torch.equal(loose[:, :, 0], view[:, :, 0])


def test_in_space_it_is_the_view_of_images():
    """The same numbers as ImageViews gives for one frame, drawn by the same key."""
    from tacit.data.samples import Images
    from tacit.numerics import counter

    view, params = VIEWS.look(content(STILL), INDEX, 5)
    images = Images(torch.from_numpy(STILL[:, 0]), torch.full((N, 2), SIDE, dtype=torch.int32))
    same, drawn = VIEWS.image().look(images, INDEX, counter.key(5, "space"))
    assert isinstance(VIEWS.image(), ImageViews) and torch.equal(view[:, :, 0], same)
    assert torch.equal(params["cut"], drawn["box"]) and torch.equal(params["factors"], drawn["factors"])


def test_clips_lie_anywhere_and_speed_order_and_direction_are_drawn():
    index = np.arange(N)
    shown, params = counted(every=2)
    assert torch.equal(shown, params["places"]) and torch.equal(shown.diff(), torch.full((N, 7), 2))
    assert len(shown[:, 0].unique()) > 8 and shown.max() < T
    quick, _ = counted(every=1, speed=(1.0, 3.0))
    assert 1 <= quick.diff().float().mean(1).min() < 1.4 and quick.diff().float().mean(1).max() > 2.4
    back, _ = counted(every=1, reverse=0.5)
    assert 0.2 < (back.diff() == -1).all(1).float().mean() < 0.8
    mixed, _ = counted(every=1, shuffle=1.0)
    assert torch.equal(mixed.sort(1).values.diff(), torch.ones(N, 7, dtype=torch.long)) and (mixed.diff() < 0).any(1).all()
    some, _ = VIEWS.look(content(STILL[[7, 3]]), index[[7, 3]], 5)
    assert torch.equal(some, VIEWS.look(content(STILL), index, 5)[0][[7, 3]])


def test_a_short_video_is_shown_again():
    few = content(COUNTED[:, :3])
    view, params = VideoViews.fit({**FACTS, "mean": [0.0], "std": [1.0]}).look(few, INDEX, 1, **PLAIN, frames=5, every=1)
    assert params["places"][0].tolist() == [0, 1, 2, 0, 1] and view.shape == (N, 1, 5, 16, 16)


def test_the_interval_of_two_clips_follows_its_density():
    room, draws = np.full(200_000, 100), np.random.default_rng(0).random((200_000, 3))
    starts = video_times.apart(room, draws, 1.0)
    gap = np.abs(starts[:, 1] - starts[:, 0])
    expected = np.diff(1 - (1 - np.arange(102) / 101) ** 2)  # of a triangle, whole frame by whole frame
    assert np.abs(np.bincount(gap, minlength=101) / len(gap) - expected).max() < 0.002
    assert starts.min() == 0 and starts.max() == 100 and abs((starts[:, 1] > starts[:, 0]).mean() - 0.5) < 0.02
    even = np.abs(np.diff(video_times.apart(room, draws, 0.0)))[:, 0]
    assert np.abs(np.bincount(even, minlength=101) / len(even) - 1 / 101).max() < 0.002
    assert (video_times.apart(np.zeros(9, np.int64), draws[:9], 1.0) == 0).all()


def test_two_clips_apart_have_a_draw_each():
    shown, _ = counted("apart", every=1)
    assert shown.shape == (N, 2, 8) and torch.equal(shown.diff(), torch.ones(N, 2, 7, dtype=torch.long))
    assert (shown[:, 0, 0] != shown[:, 1, 0]).float().mean() > 0.7
    view, _ = VIEWS.look(content(STILL), INDEX, 5, "apart")
    assert view.shape == (N, 2, 3, 8, 16, 16) and not torch.equal(view[:, 0], view[:, 1])
    assert torch.equal(view, view[:, :, :, :1].expand_as(view))


def test_three_clips_at_two_speeds():
    shown, params = counted("speeds", every=1)
    steps = shown.diff().float().mean(2)
    fast = params["fast"]
    assert torch.equal(steps[:, 0], steps[:, 1]) and 0.2 < fast.float().mean() < 0.8
    assert torch.equal(steps[:, 0], torch.where(fast, 2.0, 1.0)) and torch.equal(steps[:, 2], torch.where(fast, 1.0, 2.0))
    assert torch.equal(shown[:, 1, 0], shown[:, 2, 0]) and (shown[:, 0, 0] != shown[:, 1, 0]).any()
    view, _ = VIEWS.look(content(STILL), INDEX, 5, "speeds")
    assert torch.equal(view[:, 1], view[:, 2]) and not torch.equal(view[:, 0], view[:, 1])


def test_pieces_come_in_the_order_told():
    shown, params = counted("shuffled", every=1, shift=0, index=INDEX)
    shown = shown[:, :, 0]
    rank = shown.argsort(1).argsort(1)
    rank = torch.where((rank[:, :1] < rank[:, -1:]), rank, rank.flip(1))  # an order and its reverse are one
    seen = {}
    for order, number in zip(rank.tolist(), params["order"].tolist()):
        assert seen.setdefault(number, order) == order
    assert shown.shape == (N, 4) and len(seen) > 6 and max(seen) < 12 and len({tuple(o) for o in seen.values()}) == len(seen)
    assert (shown.sort(1).values.diff() > 0).all()


def test_pieces_are_taken_where_much_moves():
    array = np.zeros((N, T, 8, 8, 1), np.uint8)
    array[:, 20:24] = np.array([90, 180, 60, 255], np.uint8)[None, :, None, None, None]
    views = VideoViews.fit({"length": T, "height": 8, "width": 8, "mean": [0.0], "std": [1.0]})
    _, params = views.look(content(array), INDEX, 1, "shuffled", frames=40, every=1)
    inside = (params["places"] >= 19) & (params["places"] <= 24)
    assert inside.float().mean() > 0.9


def test_pieces_are_disguised():
    view, _ = VIEWS.look(content(STILL), INDEX, 5, "shuffled", shift=2)
    assert view.shape == (N, 4, 3, 1, 16, 16)
    moved = (view[:, 0] - view[:, 1]).abs().flatten(1).amax(1) > 0.01
    assert moved.float().mean() > 0.8  # 1 of 25 is moved alike
    split, _ = VIEWS.look(content(STILL), INDEX, 5, "shuffled", shift=0, split_colours=1.0)
    assert torch.equal(split, split[:, :, :1].expand_as(split))
    whole, _ = VIEWS.look(content(STILL), INDEX, 5, "shuffled", shift=0)
    chosen = (split[:, :, :1] == whole).flatten(3).all(3)
    assert chosen.any(2).all() and (chosen.float().mean((0, 1)) > 0.15).all()


@pytest.mark.parametrize(
    ("kind", "count", "shape"),
    [
        (Pair(), 2, (3, 8, 16, 16)),
        (MultiCrop(2, 3), 5, None),
        (Apart(), 1, (2, 3, 8, 16, 16)),
        (Speeds(), 1, (3, 3, 8, 16, 16)),
        (Shuffled(), 1, (4, 3, 1, 16, 16)),
    ],
)
def test_kinds(kind, count, shape):
    views, params = Program(kind, VIEWS)(content(STILL), INDEX, 1)
    assert len(views) == len(params) == count and (shape is None or views[0].shape == (N, *shape))
    assert all(view.isfinite().all() for view in views)
    assert kind != Pair() or not torch.equal(params[0]["places"], params[1]["places"])
    if shape is None:
        assert views[4].shape == (N, 3, 8, VIEWS.local_size, VIEWS.local_size)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"frames": 0}, "frames is 0"),
        ({"steady": 2.0}, "steady is 2.0; give a probability"),
        ({"speed": (2.0, 1.0)}, "the smaller first"),
        ({"pieces": 9}, "pieces is 9"),
        ({"crop": (0.0, 1.0)}, "crop is 0.0"),
        ({"frame": 3}, "frame"),
    ],
)
def test_wrong_options_are_named(wrong, said):
    with pytest.raises(TacitError, match=said):
        VIEWS.but(**wrong)


def test_other_channels_are_refused():
    with pytest.raises(TacitError, match="1 channels came where 3"):
        VIEWS.look(content(COUNTED), INDEX, 0)


def test_raw_is_a_tiny_video():
    view, _ = VIEWS.look(content(STILL), INDEX, 0, "plain")
    assert VIEWS.raw(view).shape == (N, 3 * 4 * 12 * 12)
