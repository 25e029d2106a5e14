"""The kinds of view."""

from tacit.views.kinds import MultiCrop, Pair


def test_another_number_of_small_views():
    first, small = {"blur": 1.0}, {"blur": 0.5}
    kind = MultiCrop(large=1, small=2, of={"image": (first, small, small), "vector": {"noise": 0.1}})
    for count in (0, 1, 4):
        changed = kind.with_small(count)
        assert [seen.role for seen in changed.seen()] == ["global"] + ["local"] * count
        assert changed.of == {"image": [first, *[small] * count], "vector": [{"noise": 0.1}]}
    assert Pair().with_small(3) == Pair()
