"""Two dimensions to look at."""

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.numerics import counter
from tacit.numerics.exact import unit

ROWS = 8192  # of a tile


def pca_map(features: Tensor, rounds: int = 30) -> Tensor:
    """The first two principal components of the directions of features n × d, n ≥ 2: float32, n × 2.

    Subspace iteration on a block of eight vectors (Halko et al. 2011, arXiv:0909.4061, algorithm 4.4), so it costs little
    whatever d is. The loading of largest size is positive, which fixes the signs.
    """
    if features.ndim != 2 or len(features) < 2:
        raise TacitError(f"A map needs at least two embeddings, n × d, but got shape {tuple(features.shape)}.")
    d = features.shape[1]
    tiles = features.split(ROWS)
    mean = torch.stack([unit(tile).double().sum(0) for tile in tiles]).sum(0).float() / len(features)
    start = counter.normal(counter.key("principal components"), np.arange(d), 8)
    block = torch.from_numpy(start).to(features.device)
    for _ in range(rounds):
        block = torch.linalg.qr(block).Q
        block = torch.stack([(x := unit(tile) - mean).T @ (x @ block) for tile in tiles]).sum(0)
    basis = torch.linalg.qr(block).Q
    shown = torch.cat([(unit(tile) - mean) @ basis for tile in tiles])
    axes = torch.linalg.svd(shown, full_matrices=False).Vh[:2].T  # turn the block's best two directions to the front
    loadings = basis @ axes
    signs = loadings.gather(0, loadings.abs().argmax(0, keepdim=True)).sign()
    flat = shown @ axes * torch.where(signs == 0, 1.0, signs)
    return torch.nn.functional.pad(flat, (0, 2 - flat.shape[1]))
