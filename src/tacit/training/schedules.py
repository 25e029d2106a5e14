"""Learning rate and weight decay as pure functions of progress: nothing to save, nothing to restore."""

import math

from tacit.method import Recipe


def base_rate(recipe: Recipe) -> float:
    """The recipe's rate at its batch: as given, or grown with the batch from 256 samples."""
    growth = {"none": 1.0, "linear": recipe.batch / 256, "sqrt": math.sqrt(recipe.batch / 256)}
    return recipe.lr * growth[recipe.scale]


def rate(recipe: Recipe, progress: float) -> float:
    """The learning rate at `progress` in [0, 1]: linear warm-up, then cosine to `final_lr`, constant, or steps of a tenth."""
    warm = min(recipe.warmup / recipe.epochs, 0.5)
    if progress < warm:
        return base_rate(recipe) * progress / warm
    if recipe.schedule == "cosine":
        left = (progress - warm) / (1 - warm)
        return base_rate(recipe) * _cosine(1.0, recipe.final_lr, left)
    if recipe.schedule == "step":
        return base_rate(recipe) * 0.1 ** sum(progress >= milestone for milestone in recipe.milestones)
    return base_rate(recipe)


def growth(recipe: Recipe, progress: float) -> float:
    """The factor of the weight decay at `progress`: from 1 to `decay_growth` by half a cosine (DINO, arXiv:2104.14294)."""
    return _cosine(1.0, recipe.decay_growth, progress)


def _cosine(first: float, last: float, progress: float) -> float:
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * progress))
