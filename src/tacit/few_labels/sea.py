"""SeA: a linear head learns from embeddings that are pushed, against it, towards other embeddings of their batch."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tacit.few_labels.affine import Affine
from tacit.method import Paper
from tacit.numerics import counter
from tacit.numerics.exact import unit

paper = Paper(
    "SeA: Semantic Adversarial Augmentation for Last Layer Features from Unsupervised Representation Learning",
    "Qian, Xu, Hu", 2024, "arXiv:2408.13351",
)  # fmt: skip

Direction = Callable[[Tensor, Tensor], Tensor]  # a batch's embeddings and slopes, n × d, rows of length one -> n × d


class Recipe(NamedTuple):
    """The official code's numbers; its rate is meant for rows of length one at this λ."""

    lr: float = 1.6  # constant
    epochs: int = 100
    batch: int = 256
    momentum: float = 0.9
    weight_decay: float = 1e-6
    eta: float = 0.8  # how far an embedding is pushed
    scale: float = 0.1  # λ: the temperature of the loss, by which it is multiplied too
    margin: float = 0.0  # δ, of the true class


def fit(x: Tensor, y: Tensor, seed: int = 0) -> Affine:
    """SeA as published; embeddings n × d, labels int64 0…C−1, n.

    checked: idstcv/SeA@12b987c
    Compared: directions, and weights after an epoch, by main.py on fixed tensors.
    Differs: a last batch of one, which has nobody to be pushed towards and gives NaN there, is not learned from.
    """
    return trained(x, y, projected, Recipe(), seed)


def trained(x: Tensor, y: Tensor, direction: Direction, recipe: Recipe, seed: int) -> Affine:
    """A linear head without bias on rows of length one, each of them pushed in a direction that is made of its slope.

    The head begins as torch's linear layers do, drawn by counter, and so is the order of each epoch.
    """
    x, count = unit(x), int(y.max()) + 1
    drawn = counter.uniform(counter.key(seed, "sea"), np.arange(count), x.shape[1])
    weight = torch.from_numpy((2 * drawn - 1) / math.sqrt(x.shape[1]))
    velocity = torch.zeros_like(weight)
    for epoch in range(recipe.epochs):
        order = torch.from_numpy(counter.permutation(counter.key(seed, "sea order", epoch), len(x)))
        one_epoch(weight, velocity, x[order], y[order], direction, recipe)
    return Affine(weight, torch.zeros(count), unit=True)


def one_epoch(weight: Tensor, velocity: Tensor, x: Tensor, y: Tensor, direction: Direction, recipe: Recipe) -> None:
    """Move the weight, C × d, and its velocity by stochastic gradient descent over batches in this order."""
    for rows, labels in zip(x.split(recipe.batch), y.split(recipe.batch)):
        if len(rows) > 1:
            slopes = unit(_error(weight, rows, labels, recipe) @ weight)
            seen = unit(rows + recipe.eta * direction(rows, slopes))
            gradient = _error(weight, seen, labels, recipe).T @ seen / len(rows) + recipe.weight_decay * weight
            velocity.mul_(recipe.momentum).add_(gradient)
            weight.sub_(recipe.lr * velocity)


def projected(rows: Tensor, slopes: Tensor, sharpness: float = 0.01) -> Tensor:
    """The mean of the other embeddings of the batch, weighted by how much they lie uphill: softmax(g·x / α), n × d."""
    weights = (slopes @ rows.T / sharpness).softmax(1).fill_diagonal_(0)
    return unit((weights / weights.sum(1, keepdim=True)) @ rows)


def unprojected(rows: Tensor, slopes: Tensor) -> Tensor:
    """The slope itself: the adversarial push that has no meaning."""
    return slopes


def _error(weight: Tensor, rows: Tensor, labels: Tensor, recipe: Recipe) -> Tensor:
    """The slope of λ · CE((W x − δ at the true class) / λ) in the logits, n × C: probabilities less the truth."""
    logits = rows @ weight.T
    truth = torch.nn.functional.one_hot(labels, len(weight))
    return ((logits - recipe.margin * truth) / recipe.scale).softmax(1) - truth
