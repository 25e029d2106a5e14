"""How much one part of a sample says of another that its label does not: what predicting the other part is worth."""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from tacit.evaluation.number import NAN, Number, missing

RIDGE = 1e-6  # of the first part's mean variance, so that numbers that others determine do no harm


def partial_dependence(first: Tensor, second: Tensor, labels: Tensor) -> Number:
    """The share of what is linearly predicted of the second part by the first that is left where the label is known.

    first    n × d; second  n × e: both parts of each sample; labels  int64, n

    Σ₁₂ is the covariance of both parts and Σ₁₂·Y = Σ₁₂ − Σ₁Y Σ_YY⁺ Σ_Y2 that beside the label, as one number for each class. Of
    ψ(x₁) = Σ₂₁ Σ₁₁⁻¹ x₁ the mean square is ‖Σ₁₁^(−½) Σ₁₂‖², and of its difference from what the label's own prediction by x₁
    would give, the ε² of Lee, Lei, Saunshi and Zhuo 2021 (arXiv:2008.01064) in the linear case, ‖Σ₁₁^(−½) Σ₁₂·Y‖²: the value is
    their ratio. 0: the parts are independent given the label, up to what is linear; then a linear head on ψ needs few labels.

    unverified: the paper was not to be had; the ratio is ours.
    """
    n, classes = len(first), int(labels.max()) + 1
    if n < 3 or len(labels.unique()) < 2:
        return missing("partial_dependence", f"{n} samples of {len(labels.unique())} classes say nothing of it.")
    x, y, label = (part.double() - part.double().mean(0) for part in (first, second, one_hot(labels, classes)))
    within, across, told = x.T @ x / n, x.T @ y / n, x.T @ label / n
    rest = across - told @ torch.linalg.pinv(label.T @ label / n, rtol=1e-9, hermitian=True) @ (label.T @ y / n)
    eye = torch.eye(len(within), dtype=within.dtype, device=within.device)
    root = torch.linalg.cholesky(within + RIDGE * within.diagonal().mean() * eye)
    whole, left = (torch.linalg.solve_triangular(root, part, upper=False).square().sum() for part in (across, rest))
    protocol = {"samples": n, "classes": len(labels.unique()), "interval": "none"}
    return Number("partial_dependence", float(left / whole), NAN, NAN, protocol)
