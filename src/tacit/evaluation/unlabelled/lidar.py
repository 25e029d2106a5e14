"""How many dimensions tell samples apart beyond what views change, without labels."""

import torch
from torch import Tensor

from tacit.evaluation.number import NAN, Number, missing

DELTA, EPSILON = 1e-4, 1e-7
WIDEST = 2048  # dimensions: two decompositions of d × d


def lidar(looks: Tensor, delta: float = DELTA) -> Number:
    """The effective rank of the discriminants between samples, of q looks at each of n: n × q × d -> [1, min(n − 1, d)].

    Thilak et al. 2023 (arXiv:2312.04000), section 4: every sample is a class and its looks are the members. With the
    covariance Σ_b of the classes' means and Σ_w of the looks around them plus `delta` on its diagonal, the exponential of the
    entropy of the normalised eigenvalues of Σ_w^−½ Σ_b Σ_w^−½ plus ε = 1e-7. Compare at equal n and q only.
    """
    n, q, d = looks.shape
    if n < 2 or q < 2:
        return missing("lidar", f"LiDAR needs at least 2 looks at each of 2 samples, and got {q} at each of {n}.")
    if d > WIDEST:
        return missing("lidar", f"{d} dimensions are more than the {WIDEST} that are decomposed for LiDAR.")
    means = looks.double().mean(1)
    between = means - means.mean(0)
    between = between.T @ between / (n - 1)
    within = torch.eye(d, dtype=torch.float64, device=looks.device) * delta
    for tile, mean in zip(looks.split(256), means.split(256)):
        around = (tile.double() - mean[:, None]).flatten(0, 1)
        within += around.T @ around / (n * (q - 1))
    values, axes = torch.linalg.eigh(within)
    whitener = axes * values.rsqrt() @ axes.T
    found = torch.linalg.eigvalsh(whitener @ between @ whitener).clamp_min(0)
    shares = found / found.sum().clamp_min(torch.finfo(torch.float64).tiny) + EPSILON
    value = float(torch.exp(-(shares * shares.log()).sum()))
    protocol = {"samples": n, "looks": q, "dimensions": d, "delta": delta, "epsilon": EPSILON}
    return Number(
        "lidar", value, NAN, NAN, {**protocol, "interval": "none: a resample repeats samples and so has a smaller rank"}
    )
