"""The kinds of view."""

from tacit.views import modality
from tacit.views.kinds import MultiCrop, Pair, Raster, Seen


def test_another_number_of_small_views():
    first, small = {"blur": 1.0}, {"blur": 0.5}
    kind = MultiCrop(large=1, small=2, of={"image": (first, small, small), "vector": {"noise": 0.1}})
    for count in (0, 1, 4):
        changed = kind.with_small(count)
        assert [seen.role for seen in changed.seen()] == ["global"] + ["local"] * count
        assert changed.of == {"image": [first, *[small] * count], "vector": [{"noise": 0.1}]}
    assert Pair().with_small(3) == Pair()


def test_pictures_are_as_many_looks_as_are_wished_for():
    assert Raster().seen() == (Seen(),) and Raster(looks=3).seen() == (Seen(),) * 3
    assert Raster(looks=2, small=True).seen() == (Seen(role="local"),) * 2
    assert Raster in modality("image").kinds
    assert not any(Raster in modality(kind).kinds for kind in ("vector", "series", "audio", "video", "text"))
