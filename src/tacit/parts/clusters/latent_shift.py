"""Classes from domains that hold the same classes in other shares (Roberts et al. 2022, arXiv:2207.13179, section 5)."""

import warnings

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.numerics.kmeans import best_kmeans

STARTS, ROUNDS = 5, 100


def class_shares(told: Tensor, domain: Tensor, classes: int, cells: int) -> Tensor:
    """How large a part of each domain each class is, found without labels: k × r, columns that sum to 1.

    told n × r: the probability of each domain, as a discriminator tells it of a sample; domain int64, n: the true one. Cells
    of what is told occur in domains as classes do, so their frequencies factor into p(cell | class) p(class | domain).
    """
    found = best_kmeans(told, cells, STARTS, ROUNDS)[0]
    counts = torch.zeros(cells, told.shape[1], dtype=torch.float64)
    counts.index_put_((found, domain), torch.ones(len(found), dtype=torch.float64), accumulate=True)
    return torch.from_numpy(factored(counts.numpy(), classes, int(torch.randint(2**31 - 1, ())))).float()


def factored(counts: np.ndarray, classes: int, seed: int) -> np.ndarray:
    """p(class | domain), k × r, of how often each cell occurs in each domain, m × r, which none may be without samples of."""
    try:
        from sklearn.decomposition import NMF
        from sklearn.exceptions import ConvergenceWarning
    except ModuleNotFoundError:
        raise TacitError(
            "Non-negative factors are scikit-learn's, which is not installed; run pip install scikit-learn."
        ) from None
    model = NMF(n_components=classes, init="random", random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 200 rounds, as published, need not be enough
        shares = model.fit_transform((counts / counts.sum(0, keepdims=True)).T).T * model.components_.sum(1, keepdims=True)
    return shares / shares.sum(0, keepdims=True)


def class_posteriors(told: Tensor, shares: Tensor, domain: Tensor) -> Tensor:
    """p(class | sample, its domain): n × r told, k × r shares, int64 n -> n × k; rows sum to 1, single entries may be below 0.

    Domains are taken to be equally large.
    """
    of_class = shares.double().T
    of_class = of_class / of_class.sum(0, keepdim=True).clamp_min(1e-8)  # p(domain | class), r × k
    anywhere = told.double() @ torch.linalg.pinv(of_class).T
    here = anywhere * of_class[domain]
    return (here / here.sum(1, keepdim=True)).float()
