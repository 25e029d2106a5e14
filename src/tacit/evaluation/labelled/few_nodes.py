"""What frozen embeddings of nodes tell of classes from a few labels, and of hyperedges that were held back."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from tacit.errors import TacitError
from tacit.evaluation.intervals import student
from tacit.evaluation.labelled.detection import auroc
from tacit.evaluation.number import Number
from tacit.numerics import counter

STEPS, EVERY = 200, 10  # of Adam, and between two looks at the validation part
RATE, DECAY, HIDDEN = 1e-3, 1e-6, 128


def few_nodes(z: Tensor, labels: Tensor, share: float = 0.01, draws: int = 20, seed: int = 0) -> Number:
    """Mean accuracy of a linear layer on `share` of the nodes, stopped where it is best on as many others, tested on the rest.

    z n × d, labels int64, n. 200 steps of Adam at 1e-3, looked at every tenth, 20 draws of nodes: the protocol of HypeBoy
    (Kim et al. 2024, arXiv:2404.00638, section 5.1, as in its code). Unlike there the features are first centred and brought
    to a mean square of 1, for so few steps of a fixed length know one scale only.
    """
    z = _scaled(z)
    n, classes = len(z), int(labels.max()) + 1
    count = round(share * n)
    if count < 1 or n < 3 * count:
        raise TacitError(f"{share:.1%} of {n} nodes for learning, as many for choosing and others for testing cannot be had.")
    orders = np.stack([counter.permutation(counter.key("few nodes", seed, draw), n) for draw in range(draws)])
    train, val, test = (torch.from_numpy(part) for part in np.split(orders, [count, 2 * count], axis=1))
    generator = torch.Generator().manual_seed(counter.key("few nodes", seed) % 2**63)
    bound = z.shape[1] ** -0.5  # as a linear layer begins
    weight = ((2 * torch.rand(draws, z.shape[1], classes, generator=generator) - 1) * bound).requires_grad_()
    bias = ((2 * torch.rand(draws, 1, classes, generator=generator) - 1) * bound).requires_grad_()
    optimizer = torch.optim.Adam([weight, bias], RATE, weight_decay=DECAY)
    best, kept = torch.full((draws,), -1.0), [weight.detach().clone(), bias.detach().clone()]
    for step in range(STEPS):
        loss = cross_entropy((z[train] @ weight + bias).flatten(0, 1), labels[train].flatten(), reduction="sum") / count
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % EVERY == 0:
            with torch.no_grad():
                found = _hits(z, labels, val, weight, bias)
                better = (found > best)[:, None, None]
                kept = [torch.where(better, new, old) for new, old in zip((weight, bias), kept)]
                best = torch.maximum(found, best)
    scores = _hits(z, labels, test, *kept).numpy()
    protocol = {"train": count, "val": count, "test": n - 2 * count, "draws": draws, "seed": seed}
    return Number("few_nodes", float(scores.mean()), *student(scores), protocol)


def hyperedges(z: Tensor, parts: Mapping[str, tuple[np.ndarray, np.ndarray]], seed: int = 0) -> Number:
    """AUROC by which held-back hyperedges are told from as many random sets of nodes, each of the size of one of them.

    z n × d; parts "train", "val" and "test": node and hyperedge of each incidence. A network of two layers on the sum of the
    embeddings of a set, scaled as in `few_nodes`, 200 steps of Adam at 1e-3, kept where it is best on "val" (HypeBoy's
    protocol, as in its code; the negatives are those of size negative sampling, Patil et al. 2020, arXiv:2003.04717).
    """
    z = _scaled(z)
    sums = {name: _sums(z, *part, counter.key("hyperedges", seed, name)) for name, part in parts.items()}
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(counter.key("hyperedges", seed) % 2**63)
        head = nn.Sequential(nn.Linear(z.shape[1], HIDDEN), nn.ReLU(), nn.Dropout(0.5), nn.Linear(HIDDEN, 1))
        optimizer = torch.optim.Adam(head.parameters(), RATE, weight_decay=DECAY)
        best, reached = -1.0, 0.0
        x, y = sums["train"]
        for step in range(1, STEPS + 1):
            optimizer.zero_grad()
            binary_cross_entropy_with_logits(head.train()(x)[:, 0], y).backward()
            optimizer.step()
            if step % EVERY == 0 and (found := _area(head, *sums["val"])) > best:
                best, reached = found, _area(head, *sums["test"])
    protocol = {name: len(y) // 2 for name, (_, y) in sums.items()} | {"seed": seed, "negatives": "of equal sizes, at random"}
    return Number("hyperedge_auroc", reached, float("nan"), float("nan"), protocol)


def _scaled(z: Tensor) -> Tensor:
    z = z - z.mean(0)
    return z / z.square().mean().sqrt().clamp(min=1e-12)


def _hits(z: Tensor, labels: Tensor, rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The accuracy of each draw."""
    return torch.stack([((z[r] @ w + b).argmax(1) == labels[r]).float().mean() for r, w, b in zip(rows, weight, bias)])


def _sums(z: Tensor, members: np.ndarray, edges: np.ndarray, key: int) -> tuple[Tensor, Tensor]:
    """Summed embeddings of the hyperedges and of as many random sets of their sizes; 1 for the former, 0 for the latter."""
    _, edges = np.unique(edges, return_inverse=True)
    sizes = np.bincount(edges)
    m, most = len(sizes), int(sizes.max())
    wanted = np.arange(most) < sizes[:, None]
    draws = np.where(wanted, counter.uniform(key, np.arange(m), most), 2.0)  # those beyond a set's size are sorted behind it
    low = np.sort(draws, axis=1) * (len(z) - sizes + 1)[:, None]
    random = (low.astype(np.int64) + np.arange(most))[wanted]  # ascending and apart, so that no node comes twice
    sums = z.new_zeros(2 * m, z.shape[1]).index_add_(0, torch.from_numpy(edges), z[torch.from_numpy(members)])
    sums.index_add_(0, torch.from_numpy(np.repeat(np.arange(m), sizes) + m), z[torch.from_numpy(random)])
    return sums, torch.arange(2 * m).lt(m).float()


@torch.no_grad()
def _area(head: nn.Module, x: Tensor, y: Tensor) -> float:
    scores = head.eval()(x)[:, 0].double().numpy()
    return auroc(scores[y.numpy() == 1], scores[y.numpy() == 0])
