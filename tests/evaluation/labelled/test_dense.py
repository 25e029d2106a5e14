"""The dense probe: known answers, a naive loop, and its edges."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate, one_hot

from tacit.errors import TacitError
from tacit.evaluation.labelled import dense as room
from tacit.evaluation.labelled.dense import confusions, dense_probe, scored
from tacit.evaluation.labelled.linear import fit, predict


def scenes(n, seed, side=8, classes=3):
    """Masks of two rectangles on a ground: int64, n × side × side."""
    g = torch.Generator().manual_seed(seed)
    masks = torch.zeros(n, side, side, dtype=torch.int64)
    for mask in masks:
        for label in range(1, classes):
            top, left = torch.randint(side - 3, (2,), generator=g).tolist()
            mask[top : top + 3, left : left + 4] = label
    return masks


def seen(masks, noise=0.0, seed=0):
    """One-hot maps with noise."""
    clean = one_hot(masks, 3).movedim(3, 1).float()
    return clean + noise * torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed))


def test_one_hot_maps_are_read_without_error():
    train, test = scenes(30, 0), scenes(20, 1)
    for number in dense_probe(seen(train), train, seen(test), test):
        assert (number.value, number.low, number.high) == (1.0, 1.0, 1.0)


def test_coarse_maps_are_enlarged():
    train, test = scenes(30, 0), scenes(20, 1)
    fine, fine_test = (masks.repeat_interleave(4, 1).repeat_interleave(4, 2) for masks in (train, test))
    miou, accuracy = dense_probe(seen(train), fine, seen(test), fine_test)
    assert miou.value > 0.95 and accuracy.value > 0.98
    assert miou.protocol["map"] == [3, 8, 8] and miou.protocol["mask"] == [32, 32]


def naive(predicted, masks):
    """Mean IoU and accuracy pixel by pixel."""
    common, union, right, labelled = {}, {}, 0, 0
    for said, there in zip(predicted.flatten().tolist(), masks.flatten().tolist()):
        if there < 0:
            continue
        labelled, right = labelled + 1, right + (said == there)
        for label in {said, there}:
            union[label] = union.get(label, 0) + 1
            common[label] = common.get(label, 0) + (said == there)
    return sum(common[label] / union[label] for label in union) / len(union), right / labelled


def test_against_a_naive_loop(monkeypatch):
    monkeypatch.setattr(room, "CELLS", 2000)  # a few images at once
    train, test = scenes(20, 0), scenes(15, 1, side=12)
    train[:, 0], test[:, :, 0] = -1, -1
    test[3:5, 5:7, 5:7] = 9  # which no train mask has
    small = interpolate(test[:, None].clamp(0, 2).double(), (8, 8))[:, 0].long()
    maps, test_maps = seen(train.clamp(0), 0.6), seen(small, 0.6, seed=1)
    miou, accuracy = dense_probe(maps, train, test_maps, test)
    x, y = maps.movedim(1, 3).flatten(0, 2), train.flatten()
    probe = fit(x[y >= 0], y[y >= 0], (miou.protocol["penalty"],))
    assert miou.protocol["locations"] == int((y >= 0).sum()) == 20 * 7 * 8
    rows = torch.cat([(test_maps.movedim(1, 3) - probe.mean) @ probe.axes, torch.ones(15, 8, 8, 1)], 3)
    logits = interpolate((rows @ probe.weights[0].T).movedim(3, 1), (12, 12), mode="bilinear")
    expected = naive(probe.classes[logits.argmax(1)], test)
    assert (miou.value, accuracy.value) == pytest.approx(expected, abs=1e-3)
    assert miou.protocol["classes"] == 4 and miou.protocol["pixels"] == int((test >= 0).sum())
    assert miou.low < miou.value < miou.high and accuracy.low < accuracy.value < accuracy.high


def test_the_folded_head_is_the_head():
    """At the size of the maps, the prediction is the probe's own."""
    masks = scenes(6, 0)
    maps = 50 + 3 * seen(masks, 0.5)
    probe = fit(maps.movedim(1, 3).flatten(0, 2), masks.flatten(), (0.01,))
    own = predict(probe, maps.movedim(1, 3).flatten(0, 2))[0]
    common, predicted, there = confusions(probe, maps, masks)
    assert common.sum() == int((own == masks.flatten()).sum()) and there.sum() == masks.numel()
    assert predicted.sum(0).tolist() == torch.bincount(own, minlength=3).tolist()


def test_absent_classes_are_left_out():
    counts = np.array([[[2.0, 0, 0]], [[2.0, 2, 0]], [[4.0, 0, 0]]])  # of three: one half right, one predicted only, one absent
    assert scored(*counts).tolist() == [[0.25, 0.5]]
    assert scored(*np.zeros((3, 1, 4))).tolist() == [[0.0, 0.0]]


def test_locations_are_drawn_and_tell_as_much():
    train, test = scenes(60, 0), scenes(20, 1)
    maps, test_maps = seen(train, 0.5), seen(test, 0.5, seed=1)
    some, everything = (dense_probe(maps, train, test_maps, test, locations=n)[0] for n in (800, 10**6))
    assert some.protocol["locations"] == 800 and everything.protocol["locations"] == 60 * 64
    assert some.value == pytest.approx(everything.value, abs=0.05)


def test_half_precision_is_read():
    train = scenes(20, 0)
    assert dense_probe(seen(train).half(), train, seen(train).half(), train)[0].value == 1.0


def test_one_test_image_has_no_interval():
    train = scenes(20, 0)
    number = dense_probe(seen(train), train, seen(train)[:1], train[:1])[0]
    assert math.isnan(number.low) and number.protocol["interval"] == "none: one image"


def test_nothing_to_learn_from():
    train = scenes(20, 0)
    for masks in (torch.full_like(train, -1), torch.zeros_like(train)):
        numbers = dense_probe(seen(train), masks, seen(train), train)
        assert [n.name for n in numbers] == ["dense_miou", "dense_accuracy"]
        assert all(math.isnan(n.value) and "too few" in n.why for n in numbers)
    broken = seen(train)
    broken[0, 0, 0, 0] = math.nan
    assert "not finite" in dense_probe(broken, train, seen(train), train)[0].why


@pytest.mark.parametrize(
    ("maps", "masks", "words"),
    [
        (torch.zeros(4, 3, 8), torch.zeros(4, 8, 8).long(), "n × d × h × w"),
        (torch.zeros(4, 3, 8, 8), torch.zeros(3, 8, 8).long(), "n × H × W"),
        (torch.zeros(4, 3, 8, 8), torch.zeros(4, 8, 8), "whole numbers"),
        (torch.zeros(4, 2, 8, 8), torch.zeros(4, 8, 8).long(), "2 channels"),
    ],
)
def test_what_does_not_fit_is_named(maps, masks, words):
    right = torch.zeros(4, 3, 8, 8), torch.zeros(4, 8, 8).long()
    with pytest.raises(TacitError, match=words):
        dense_probe(maps, masks, *right)
