import numpy as np
import pytest

import tacit.data
from tacit.data.splitting import by_hash, splits
from tacit.errors import TacitError


def test_the_hash_moves_nobody_when_samples_are_added():
    ids = [f"cat/{i}.png" for i in range(5000)]
    full, part = by_hash(ids), by_hash(ids[1000:2000])
    assert (full[1000:2000] == part).all() and set(full) == {"train", "test"}
    assert abs((full == "test").mean() - 0.2) < 0.02 and abs((by_hash(ids, test=0.5) == "test").mean() - 0.5) < 0.03
    assert (by_hash(ids, seed=1) != full).any()


def test_the_hash_is_fixed_for_all_time():
    assert by_hash([f"{i:05d}" for i in range(12)]).tolist() == ["train", "test", *["train"] * 10]


def folder(save, **counts):
    for split, count in counts.items():
        for i in range(count):
            path = save(f"{split}/{i}.png")
    return path.parent.parent


def test_declared_splits_are_kept_and_val_is_left_out(save):
    train, test, how = splits(tacit.data.open(folder(save, train=4, val=2, test=3)))
    assert (len(train), len(test)) == (4, 3) and how == "declared by the source: 4 train, 3 test, 2 val left out"


def test_val_is_the_test_where_there_is_no_other(save):
    train, test, how = splits(tacit.data.open(folder(save, train=4, val=2)))
    assert (len(train), set(test.splits)) == (4, {"val"}) and "2 val" in how


def test_without_two_sides_the_hash_decides(save):
    train, test, how = splits(tacit.data.open(folder(save, test=10)))
    assert len(train) + len(test) == 10 and "20% for testing by hash of the id (seed 0)" in how
    samples = tacit.data.open(np.zeros((300, 4, 4), np.uint8))
    train, test, _ = splits(samples)
    assert set(test.ids) == {name for name, side in zip(samples.ids, by_hash(samples.ids)) if side == "test"}


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("test", [0.0, 0.2, 1.0])
def test_each_side_gets_at_least_one(n, test):
    for seed in range(10):
        sides = splits(tacit.data.open(np.zeros((n, 4, 4), np.uint8)), test=test, seed=seed)
        assert min(len(sides[0]), len(sides[1])) >= 1 and len(sides[0]) + len(sides[1]) == n


def test_one_sample_cannot_be_split():
    with pytest.raises(TacitError, match="at least 2"):
        splits(tacit.data.open(np.zeros((1, 4, 4), np.uint8)))
