"""Few-shot episodes: their draws, against a loop, and their edges."""

import math

import numpy as np
import pytest
import torch

from tacit.errors import TacitError
from tacit.evaluation.labelled import few_shot as room
from tacit.evaluation.labelled.few_shot import distinct, few_shot


def blobs(n, noise=1.0, classes=8, seed=0):
    g = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, 8, generator=g)
    labels = torch.arange(n) % classes
    return centres[labels] + noise * torch.randn(n, 8, generator=g), labels


def test_draws_are_distinct_and_every_one_is_as_likely():
    sizes = np.full((3000, 2), 6)
    drawn = distinct(7, np.arange(3000), sizes, 4)
    assert drawn.shape == (3000, 2, 4) and drawn.min() == 0 and drawn.max() == 5
    assert all(len(set(row)) == 4 for row in drawn.reshape(-1, 4).tolist())
    for j in range(4):  # at each place, and so for the support as for the queries
        assert np.bincount(drawn[:, :, j].ravel(), minlength=6) == pytest.approx(1000, abs=150)
    whole = distinct(7, np.arange(500), np.full((500, 1), 3), 3)
    orders, counts = np.unique(whole[:, 0], axis=0, return_counts=True)
    assert len(orders) == 6 and counts.min() > 50


def test_draws_do_not_depend_on_what_is_drawn_together():
    sizes = np.array([[5, 9], [7, 30], [4, 4]])
    assert np.array_equal(distinct(1, np.arange(3), sizes, 3)[1:], distinct(1, np.arange(1, 3), sizes[1:], 3))


def test_small_classes_give_what_they_have_first():
    drawn = distinct(3, np.arange(200), np.full((200, 1), 4), 9)
    assert np.array_equal(np.sort(drawn[:, 0, :4]), np.tile(np.arange(4), (200, 1)))


def test_accuracy_equals_a_loop():
    g = torch.Generator().manual_seed(0)
    x, rows = torch.randn(60, 5, generator=g), torch.randint(60, (7, 3, 6), generator=g)
    asked = torch.rand(7, 3, 4, generator=g) < 0.7
    asked[:, 0, 0] = True
    expected = []
    for episode, mask in zip(rows, asked):
        means = [x[members[:2]].mean(0) for members in episode]
        hits = []
        for way in range(3):
            for slot, row in enumerate(episode[way, 2:]):
                if mask[way, slot]:
                    hits.append(int(np.argmin([float((x[row] - mean).square().sum()) for mean in means])) == way)
        expected.append(np.mean(hits))
    assert room._accuracy(x, rows, asked, 2).tolist() == pytest.approx(expected)


def test_good_features_are_told_apart_and_more_shots_are_better():
    x, y = blobs(400)
    one, five = few_shot(x, 10 * y + 3)
    assert (one.name, five.name) == ("few_shot_1", "few_shot_5")
    assert 0.3 < one.value < five.value < 1.0
    assert one.low < one.value < one.high and one.high - one.low < 0.05
    assert [n.value for n in few_shot(*blobs(400, noise=1e-3))] == pytest.approx([1.0, 1.0])


def test_noise_and_collapse_are_at_chance():
    x, y = torch.randn(500, 16, generator=torch.Generator().manual_seed(0)), torch.arange(500) % 8
    assert few_shot(x, y)[0].value == pytest.approx(0.2, abs=0.02)
    assert few_shot(torch.ones(500, 4), y)[0].value == pytest.approx(0.2, abs=1e-9)


def test_tiles_change_nothing(monkeypatch):
    x, y = blobs(200)
    whole = few_shot(x, y, episodes=50)
    monkeypatch.setattr(room, "CELLS", 3000)
    assert [n.value for n in few_shot(x, y, episodes=50)] == pytest.approx([n.value for n in whole])


def test_small_classes():
    x, y = blobs(60, classes=3)
    y = torch.cat([y, torch.tensor([3, 4, 4, 4])])  # one class has a single sample, another three
    x = torch.cat([x, torch.randn(4, 8, generator=torch.Generator().manual_seed(1))])
    one, five = few_shot(x, y)
    assert (one.protocol["ways"], one.protocol["ways_clipped_from"]) == (4, 5)
    assert (one.protocol["left_out_classes"], one.protocol["classes"]) == (1, 4)
    assert one.protocol["queries"] == "15 of each class, 2 of the smallest"
    assert five.protocol["classes"] == 3


def test_nothing_to_ask():
    x = torch.eye(4)
    number = few_shot(x, torch.tensor([0, 0, 1, 2]))[0]
    assert math.isnan(number.value) and "1 of 3 classes have more than 1 samples" in number.why
    assert math.isnan(few_shot(x, torch.zeros(4, dtype=torch.int64))[0].value)


def test_one_episode_has_no_interval():
    number = few_shot(*blobs(100), episodes=1)[0]
    assert math.isfinite(number.value) and math.isnan(number.low) and math.isnan(number.high)


def test_mistakes():
    x, y = blobs(60)
    with pytest.raises(TacitError, match="at least 2 ways"):
        few_shot(x, y, ways=1)
    with pytest.raises(TacitError, match="1 shot or more"):
        few_shot(x, y, shots=(0,))
    with pytest.raises(TacitError, match="episodes is 0"):
        few_shot(x, y, episodes=0)
