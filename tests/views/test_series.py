"""Views of time series: what is changed, what is kept, what is told of gaps."""

import numpy as np
import pytest
import torch

from tacit.data.series.arrays import from_list
from tacit.data.series.generated import rhythms
from tacit.data.series.samples import Series
from tacit.errors import TacitError
from tacit.views import Program
from tacit.views.kinds import Masked, MultiCrop, Pair, Signal
from tacit.views.masks import fitting_stretch
from tacit.views.series import SeriesViews

WAVES, RAGGED = rhythms(40), rhythms(40, gaps=0.1)
INDEX = np.arange(40)
STILL = {"jitter": 0.0, "magnitude": 0.0, "warp": 0.0, "crop": (1.0, 1.0), "frequency_mask": 0.0}


def fitted(samples, **options):
    return SeriesViews.fit(samples.facts() | samples.statistics(), **options)


def read(samples, index=INDEX):
    return samples.read(index)[0]


def test_plain_is_the_series_standardised_by_the_training_part():
    views = fitted(WAVES)
    view, drawn = views.look(read(WAVES), INDEX, 0, "plain")
    assert view.shape == (40, *views.shape) == (40, 2, 64) and drawn == {}
    torch.testing.assert_close(view.mean((0, 2)), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(view.std((0, 2), correction=0), torch.ones(2), atol=1e-4, rtol=0)
    own = fitted(WAVES, scaling="series").look(read(WAVES), INDEX, 0, "plain")[0]
    torch.testing.assert_close(own.std(2, correction=0), torch.ones(40, 2), atol=1e-4, rtol=0)
    torch.testing.assert_close(fitted(WAVES, scaling="none").look(read(WAVES), INDEX, 0, "plain")[0], read(WAVES).values)


def test_gaps_are_zero_and_told_by_a_channel_of_their_own():
    views = fitted(RAGGED)
    content = read(RAGGED)
    view, _ = views.look(content, INDEX, 0, "plain")
    assert views.shape[0] == 3 and view.isfinite().all()
    there = ~content.values.isnan() & (torch.arange(content.values.shape[2]) < content.lengths[:, None])[:, None]
    assert torch.equal(view[:, 2, : there.shape[2]], there.float().mean(1)) and not view[:, :2, : there.shape[2]][~there].any()
    for role in ("global", "local"):
        seen = views.look(content, INDEX, 3, role)[0]
        assert seen.isfinite().all() and (seen[:, :2].abs().sum(1)[seen[:, 2] == 0] == 0).all()


def test_without_any_change_a_view_is_the_series():
    for samples in (WAVES, RAGGED):
        views = fitted(samples)
        torch.testing.assert_close(
            views.look(read(samples), INDEX, 5, **STILL)[0], views.look(read(samples), INDEX, 0, "plain")[0], atol=2e-3, rtol=0
        )


def test_a_crop_is_a_stretch_of_the_series_drawn_out():
    ramp = from_list([np.linspace(0, 1, 50)[None].astype(np.float32)] * 40)
    views = fitted(ramp, scaling="none")
    view, drawn = views.look(read(ramp), INDEX, 2, **{**STILL, "crop": (0.3, 0.6)})
    low, share = drawn["box"][:, 1], drawn["box"][:, 3]
    fill = 50 / views.span
    torch.testing.assert_close(view[:, 0, 0], low / fill, atol=1e-4, rtol=0)
    torch.testing.assert_close(view[:, 0, 49], (low + share) / fill, atol=1e-4, rtol=0)
    assert (view[:, 0, :50].diff(dim=1) > 0).all()


def test_a_warped_ramp_still_rises_from_end_to_end():
    ramp = from_list([np.linspace(0, 1, 64)[None].astype(np.float32)] * 40)
    view, _ = fitted(ramp, scaling="none").look(read(ramp), INDEX, 2, **{**STILL, "warp": 0.5})
    steps = view[:, 0].diff(dim=1)
    assert (steps > 0).all() and steps.std() > 0.1 * steps.mean()
    torch.testing.assert_close(view[:, 0, [0, -1]], torch.tensor([0.0, 1.0]).expand(40, 2), atol=1e-4, rtol=0)


def test_permuted_pieces_hold_the_same_values():
    plain = fitted(WAVES).look(read(WAVES), INDEX, 0, "plain")[0]
    view = fitted(WAVES).look(read(WAVES), INDEX, 2, **STILL, permute=4)[0]
    assert (view - plain).abs().max() > 0.5
    near = torch.cdist(view.transpose(1, 2), plain.transpose(1, 2)).amin(2)
    assert near.median() < 0.5


def test_masked_frequencies_are_gone():
    view = fitted(WAVES).look(read(WAVES), INDEX, 2, **{**STILL, "frequency_mask": 0.5})[0]
    power = torch.fft.rfft(view, dim=2).abs().mean(1)
    assert 0.3 < (power[:, 1:] < 1e-3).float().mean() < 0.7 and (power[:, 0] > 1e-3).float().mean() > 0.9


def test_a_view_depends_on_its_sample_alone():
    some = np.array([7, 3])
    for samples in (WAVES, RAGGED):
        views = fitted(samples, permute=3)
        for role in ("global", "local", "masked"):
            whole, part = (views.look(read(samples, i), i, 1, role)[0] for i in (INDEX, some))
            torch.testing.assert_close(whole[[7, 3]], part, atol=1e-5, rtol=1e-4)


def test_masked_views_hide_equally_many_patches():
    views = fitted(rhythms(40, length=100))
    assert views.mask_patch == 4 and views.span == 100
    (view,), (drawn,) = Program(Masked(), views)(read(rhythms(40, length=100)), INDEX, 0)
    assert (drawn["mask"].sum(1) == 12).all() and drawn["keep"].shape == (40, 13)
    assert not drawn["mask"].gather(1, drawn["keep"]).any() and view.shape == (40, 2, 100)


def test_patches_are_the_encoders_and_never_of_one_value():
    for length, options in ((24, {}), (100, {}), (64, {"span": 33}), (64, {"span": 40}), (17, {})):
        views = fitted(rhythms(40, length=length), **options)
        assert views.mask_patch == fitting_stretch(views.span) >= 2
    views, kind = fitted(WAVES), Masked().with_patch(8)
    (view,), (drawn,) = Program(kind, views)(read(WAVES), INDEX, 0)
    assert drawn["mask"].shape == (40, view.shape[2] // 8)
    with pytest.raises(TacitError, match="one patch of 37"):
        Program(Masked(), fitted(WAVES, span=37))(read(WAVES), INDEX, 0)


def test_large_and_small_views_and_signals():
    views = fitted(WAVES)
    several, _ = Program(MultiCrop(large=2, small=3), views)(read(WAVES), INDEX, 0)
    assert [view.shape[2] for view in several] == [64, 64, 32, 32, 32]
    assert Program(Signal(), views)(read(WAVES), INDEX, 0)[0][0].shape == (40, 2, 64)
    first, second = Program(Pair(), views)(read(WAVES), INDEX, 0)[0]
    assert not torch.equal(first, second)


def test_long_series_are_averaged_down():
    long = from_list([np.arange(3000.0)[None]] * 3)
    views = fitted(long, scaling="none")
    view, _ = views.look(read(long, np.arange(3)), np.arange(3), 0, "plain")
    assert views.every == 3 and views.span >= 1000 and view[0, 0, :3].tolist() == [1.0, 4.0, 7.0]


def test_raw_input_is_the_scaled_series_alone():
    views = fitted(RAGGED)
    view, _ = views.look(read(RAGGED), INDEX, 0, "plain")
    assert torch.equal(views.raw(view), view[:, :2].flatten(1))


@pytest.mark.parametrize(
    "options",
    [
        {"span": 1},
        {"jitter": -1},
        {"crop": [0.5, 1.5]},
        {"permute": 0},
        {"scaling": "test"},
        {"span": 64, "mask_patch": 7},
        {"warp": -1},
        {"frequency_mask": 1.0},
        {"jiter": 0},
    ],
)
def test_mistakes_are_named(options):
    with pytest.raises(TacitError):
        fitted(WAVES, **options)


def test_other_channels_and_unknown_roles():
    with pytest.raises(TacitError, match="3 channels came where 2"):
        fitted(WAVES).look(Series(torch.zeros(1, 3, 9), torch.tensor([9])), INDEX[:1], 0)
    with pytest.raises(TacitError, match="role"):
        fitted(WAVES).look(read(WAVES), INDEX, 0, "aside")
