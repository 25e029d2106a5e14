"""`--minutes`: the epochs that fit a time, from short trials."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Method, Recipe, Stage
from tacit.numerics import processes
from tacit.training.loop import train
from tacit.training.setting import Setting

SHARE_OF_TIME = 0.95  # of the minutes that training itself may take
SHORT = 3  # steps of the shorter trial; the longer has four times as many


def fit_time(
    cls: type[Method],
    options: Mapping[str, Any],
    setting: Setting,
    encoder: Callable[[], nn.Module | None],
    minutes: float,
) -> dict[str, Any]:
    """The recipe's fields (epochs, and for large data an epoch's length) with which all stages take so many minutes.

    What `before_epoch` does is not timed: methods that look at all samples before each epoch take longer.
    """
    if minutes <= 0:
        raise TacitError(f"--minutes is {minutes}; it must be above 0.")
    if cls.solve is not Method.solve:
        raise TacitError(f"{cls.__name__} is solved and not trained by epochs, so --minutes does not reach it; leave it out.")
    seconds: dict[int, float] = {}
    recipes: list[Recipe] = []
    for steps in (1, SHORT, 4 * SHORT):  # the first bears what is compiled and opened once
        recipes.clear()

        def noted(stage: Stage) -> Recipe:
            recipes.append(setting.recipe(stage))
            return recipes[-1].but(epochs=4 * SHORT)  # however short the schedule is, the trials differ in length

        trial = replace(setting, folder=None, quiet=True, most_steps=steps, recipe=noted)
        begun = time.perf_counter()
        train(cls.stages(**options), trial, encoder())
        taken = torch.tensor(time.perf_counter() - begun, device=setting.fabric.device)
        seconds[steps] = float(processes.mean(taken))  # so that all processes choose alike
    step = max(seconds[4 * SHORT] - seconds[SHORT], 1e-3) / (3 * SHORT * len(recipes))
    affordable = SHARE_OF_TIME * 60 * minutes / step / len(recipes)  # steps of every stage
    per_epoch = min(r.epoch_batches or max(setting.facts.n // r.batch, 1) for r in recipes)
    if affordable < per_epoch:
        return {"epochs": 1, "epoch_batches": max(int(affordable), 1), "warmup": 0.1}
    epochs = max(int(affordable / per_epoch), 1)
    return {"epochs": epochs, "warmup": min(recipes[-1].warmup, epochs / 10)}


def in_words(minutes: float, changes: Mapping[str, Any]) -> str:
    """What was chosen, for the user."""
    return f"{minutes:g} minutes allow " + ", ".join(f"{name} {value:g}" for name, value in changes.items()) + "."
