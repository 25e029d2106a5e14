"""Whether frozen features tell how an image was turned: a score of quality that needs no labels."""

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.intervals import bootstrap, wilson
from tacit.evaluation.labelled.linear import FEWEST, PENALTIES, fit, predict
from tacit.evaluation.number import Number, missing
from tacit.numerics import counter

QUARTERS = 4


def rotations(images: Tensor) -> Tensor:
    """Square images n × c × s × s -> n × 4 × c × s × s, turned by 0, 90, 180 and 270 degrees to the left: exact."""
    if images.ndim != 4 or images.shape[2] != images.shape[3]:
        raise TacitError(f"Rotations got images of shape {tuple(images.shape)}; give square ones, n × c × s × s.")
    return torch.stack([torch.rot90(images, quarter, (2, 3)) for quarter in range(QUARTERS)], 1)


def rotation_probe(train: Tensor, test: Tensor, penalties: tuple[float, ...] = PENALTIES, iterations: int = 100) -> Number:
    """Accuracy of a linear head that says which of its four rotations an image was seen in: features n × 4 × d and m × 4 × d.

    Reed et al. 2021 (SelfAugment, arXiv:2009.07724), section 3: it ranks trainings nearly as a probe with labels does. All four
    rotations of an image lie on the same side, in the choice of the penalty too. Differs: their head is trained by SGD (rate
    30, no weight decay, 100 epochs), here it is the linear probe of `labelled.linear` with its sweep of penalties, on
    standardised features; λ is chosen on a fifth of the train images, drawn by counter. Chance is a quarter.
    """
    _check(train, "train")
    _check(test, "test")
    if train.shape[2] != test.shape[2]:
        raise TacitError(f"The train features have {train.shape[2]} dimensions and the test features {test.shape[2]}.")
    held = torch.from_numpy(counter.uniform(counter.key("rotation probe, held out"), np.arange(len(train)), 1)[:, 0] < 0.2)
    held = held.to(train.device)
    if len(train) < FEWEST or not bool(held.any()) or not len(test):
        why = f"{len(train)} train and {len(test)} test images are too few; {FEWEST} and 1 are needed."
        return missing("rotation_accuracy", why)
    if not bool(train.isfinite().all() and test.isfinite().all()):
        return missing("rotation_accuracy", "some features are not finite.")
    probe = fit(train[~held].flatten(0, 1), _turns(train[~held]), penalties, iterations)
    scores = (predict(probe, train[held].flatten(0, 1)) == _turns(train[held])).sum(1).tolist()
    chosen = max(zip(scores, penalties))[1]  # of equally good ones the strongest
    final = fit(train.flatten(0, 1), _turns(train), (chosen,), iterations)
    right = (predict(final, test.flatten(0, 1))[0] == _turns(test)).view(-1, QUARTERS)
    each = right.double().mean(1).cpu().numpy()  # the rotations of one image are no independent samples
    value = float(each.mean())
    protocol = {
        "train": len(train),
        "test": len(test),
        "rotations": QUARTERS,
        "penalty": chosen,
        "penalties": list(penalties),
        "chosen_on": f"{int(held.sum())} held-out train images",
        "iterations": f"{final.steps} of at most {iterations}",
    }
    if value in (0.0, 1.0):
        how = "Wilson over images, 95 %: all rotations of all images alike"
        return Number("rotation_accuracy", value, *wilson(round(value * len(test)), len(test)), {**protocol, "interval": how})
    how = "bootstrap over images, 1000 resamples, 95 %"
    return Number("rotation_accuracy", value, *bootstrap(each, "rotation_accuracy"), {**protocol, "interval": how})


def _turns(features: Tensor) -> Tensor:
    return torch.arange(QUARTERS, device=features.device).repeat(len(features))


def _check(features: Tensor, name: str) -> None:
    if features.ndim != 3 or features.shape[1] != QUARTERS:
        raise TacitError(f"The {name} features have shape {tuple(features.shape)}; give those of four rotations, n × 4 × d.")
