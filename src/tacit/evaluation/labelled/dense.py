"""The dense probe: a linear head at every location of frozen maps, against masks."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from tacit.errors import TacitError, positive
from tacit.evaluation.intervals import subsample
from tacit.evaluation.labelled.linear import PENALTIES, Probe, fit
from tacit.evaluation.number import Number, missing
from tacit.numerics import counter

NAMES = ("dense_miou", "dense_accuracy")
LOCATIONS = 20_000  # of the train maps, on which the head is fitted
CELLS = 1 << 24  # numbers of maps or logits held at once, or one image's
RESAMPLES = 1000
FEWEST = 2  # images


def dense_probe(
    train: Tensor,
    train_masks: Tensor,
    test: Tensor,
    test_masks: Tensor,
    locations: int = LOCATIONS,
    penalties: tuple[float, ...] = PENALTIES,
    iterations: int = 100,
) -> list[Number]:
    """`dense_miou` and `dense_accuracy` of a linear head on maps n × d × h × w, by masks n × H × W, int64, −1 for unlabelled.

    The head sees one location at a time; its logits are enlarged bilinearly to the mask's size and the largest is taken, as
    in the linear evaluation of segmentation of Oquab et al. 2023 (DINOv2, arXiv:2304.07193, section 7.4). Mean intersection
    over union and pixel accuracy are those of Long et al. 2015 (FCN, arXiv:1411.4038, section 5): pixels of all test
    images counted together, then the mean over classes; −1 counts nowhere, and a class neither predicted nor in a mask is
    left out. A class that no train mask has is an error wherever a test mask has it.

    Differs: DINOv2's head is trained by gradient on enlarged logits; here the label of a location is that of the pixel in
    the middle of its cell, and the head is the linear probe of `linear.fit`, standardised, on at most `locations` labelled
    locations drawn by counter. Its penalty is chosen by the mIoU of a fifth of the train images, drawn by counter: locations of
    one image are not independent, and a head that is right at every one can still enlarge badly.
    """
    _check(train, train_masks, "train")
    _check(test, test_masks, "test")
    if train.shape[1] != test.shape[1]:
        raise TacitError(f"The train maps have {train.shape[1]} channels and the test maps {test.shape[1]}; give those of one.")
    positive(locations=locations)
    if not bool(train.isfinite().all() and test.isfinite().all()):
        return [missing(name, "some maps are not finite.") for name in NAMES]
    images, x, y = _drawn(train, train_masks, locations)
    aside = torch.from_numpy(counter.uniform(counter.key("dense probe, held out"), np.arange(len(train)), 1)[:, 0] < 0.2)
    held = aside.to(x.device)[images]
    if len(y[~held].unique()) < 2 or not bool(held.any()) or not bool((test_masks >= 0).any()):
        why = (
            f"{len(train)} train images with {len(y)} labelled locations and {len(test)} test images are too few to fit two "
            "classes on four fifths of the images, choose the penalty on the rest, and test."
        )
        return [missing(name, why) for name in NAMES]
    heads = fit(x[~held], y[~held], penalties, iterations)
    shown, hidden = train[aside.to(train.device)], train_masks[aside.to(train_masks.device)]
    scores = [_whole(*confusions(_only(heads, k), shown, hidden))[0] for k in range(len(penalties))]
    chosen = max(zip(scores, penalties))[1]  # of equally good ones the strongest
    final = fit(x, y, (chosen,), iterations)
    common, predicted, there = confusions(final, test, test_masks)
    protocol = {
        "train": len(train),
        "test": len(test),
        "locations": len(y),
        "map": list(train.shape[1:]),
        "mask": list(test_masks.shape[1:]),
        "pixels": int(there.sum()),
        "penalty": chosen,
        "penalties": list(penalties),
        "chosen_on": f"mIoU of {int(aside.sum())} held-out train images",
        "iterations": f"{final.steps} of at most {iterations}",
        "interval": f"bootstrap over images, {RESAMPLES} resamples, 95 %" if len(test) >= FEWEST else "none: one image",
    }
    miou, accuracy = _whole(common, predicted, there)
    lows, highs = _interval(common, predicted, there)
    classes = int(((predicted + there).sum(0) > 0).sum())
    return [
        Number("dense_miou", miou, lows[0], highs[0], {**protocol, "classes": classes}),
        Number("dense_accuracy", accuracy, lows[1], highs[1], protocol),
    ]


def confusions(probe: Probe, maps: Tensor, masks: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels of each image by class: rightly predicted, predicted at labelled pixels, and there; float64, n × classes each.

    The classes are those that the probe or a mask has, in order.
    """
    known = torch.cat([probe.classes, masks[masks >= 0].unique().to(probe.classes.device)]).unique()
    weight = probe.weights[0, :, :-1] @ probe.axes.T  # classes × d: the head on the maps as they are, less their mean
    bias, mean = probe.weights[0, :, -1], probe.mean
    high, wide = masks.shape[1:]
    several = max(1, CELLS // (max(len(weight) * high * wide, maps[0].numel())))
    counted: list[list[Tensor]] = [[], [], []]
    for tile, mask in zip(maps.split(several), masks.split(several)):
        mask = mask.to(weight.device)
        logits = torch.einsum("cd,ndhw->nchw", weight, tile.float() - mean[:, None, None]) + bias[:, None, None]
        said = probe.classes[interpolate(logits, (high, wide), mode="bilinear", align_corners=False).argmax(1)]
        labelled = mask >= 0
        for counts, which, of in (
            (counted[0], labelled & (said == mask), mask),
            (counted[1], labelled, said),
            (counted[2], labelled, mask),
        ):
            counts.append(_by_class(of, which, known))
    common, predicted, there = (torch.cat(counts).double().cpu().numpy() for counts in counted)
    return common, predicted, there


def scored(common: np.ndarray, predicted: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Mean intersection over union and pixel accuracy of counts by class, m × classes each: float64, m × 2."""
    union = predicted + there - common
    share = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return np.stack([share.sum(1) / np.maximum((union > 0).sum(1), 1), common.sum(1) / np.maximum(there.sum(1), 1)], 1)


def _whole(common: np.ndarray, predicted: np.ndarray, there: np.ndarray) -> tuple[float, float]:
    """Both scores of all images together."""
    miou, accuracy = scored(*(counts.sum(0, keepdims=True) for counts in (common, predicted, there)))[0].tolist()
    return miou, accuracy


def _only(heads: Probe, k: int) -> Probe:
    return heads._replace(weights=heads.weights[k : k + 1])


def _interval(common: np.ndarray, predicted: np.ndarray, there: np.ndarray) -> tuple[list[float], list[float]]:
    """Percentiles of both scores over resamples of the images (Efron 1979), drawn by counter."""
    n, key = len(common), counter.key("bootstrap", "dense probe")
    if n < FEWEST:
        return [float("nan")] * 2, [float("nan")] * 2
    found, rows = [], max(1, CELLS // n)
    for start in range(0, RESAMPLES, rows):
        numbers = np.arange(start, min(start + rows, RESAMPLES))
        drawn = torch.from_numpy((counter.uniform(key, numbers, n) * n).astype(np.int64))
        times = torch.zeros(len(numbers), n, dtype=torch.float64)
        times.scatter_add_(1, drawn, torch.ones_like(times))  # how often each image was drawn
        found.append(scored(*(times.numpy() @ counts for counts in (common, predicted, there))))
    low, high = np.quantile(np.concatenate(found), [0.025, 0.975], axis=0)
    return low.tolist(), high.tolist()


def _drawn(maps: Tensor, masks: Tensor, most: int) -> tuple[Tensor, Tensor, Tensor]:
    """At most so many labelled locations: the image of each (int64), its features (l × d, float32) and its label (int64)."""
    rows, columns = (_middles(*sides) for sides in zip(masks.shape[1:], maps.shape[2:]))
    centres = masks[:, rows[:, None], columns].to(maps.device)
    where = (centres >= 0).nonzero()
    where = where[torch.from_numpy(subsample(len(where), most, "dense probe")).to(where.device)]
    images, down, across = where.unbind(1)
    return images, maps[images, :, down, across].float(), centres[images, down, across]


def _middles(pixels: int, cells: int) -> Tensor:
    """The pixel in the middle of each cell."""
    return ((torch.arange(cells) + 0.5) * pixels / cells).long()


def _by_class(labels: Tensor, which: Tensor, known: Tensor) -> Tensor:
    """Of each image, how many of `which` pixels have each label: int64, n × classes."""
    image, down, across = which.nonzero().unbind(1)
    place = image * len(known) + torch.searchsorted(known, labels[image, down, across])
    return torch.bincount(place, minlength=len(labels) * len(known)).view(len(labels), -1)


def _check(maps: Tensor, masks: Tensor, name: str) -> None:
    if maps.ndim != 4 or masks.ndim != 3 or len(maps) != len(masks) or not len(maps):
        raise TacitError(
            f"The {name} maps have shape {tuple(maps.shape)} and the masks {tuple(masks.shape)}; "
            "give n × d × h × w and n × H × W, of at least one image."
        )
    if masks.is_floating_point():
        raise TacitError(f"The {name} masks are {masks.dtype}; give whole numbers, −1 where there is no label.")
