"""The learning rate as a pure function of progress: nothing to save, nothing to restore."""

import math

from tacit.method import Recipe


def base_rate(recipe: Recipe) -> float:
    """The recipe's rate at its batch: as given, or grown with the batch from 256 samples."""
    growth = {"none": 1.0, "linear": recipe.batch / 256, "sqrt": math.sqrt(recipe.batch / 256)}
    return recipe.lr * growth[recipe.scale]


def rate(recipe: Recipe, progress: float) -> float:
    """The learning rate at `progress` in [0, 1]: linear warm-up, then cosine to 0, constant, or steps of a tenth."""
    warm = min(recipe.warmup / recipe.epochs, 0.5)
    if progress < warm:
        return base_rate(recipe) * progress / warm
    if recipe.schedule == "cosine":
        left = (progress - warm) / (1 - warm)
        return base_rate(recipe) * 0.5 * (1 + math.cos(math.pi * left))
    if recipe.schedule == "step":
        return base_rate(recipe) * 0.1 ** sum(progress >= milestone for milestone in recipe.milestones)
    return base_rate(recipe)
