"""VGAE: codes of nodes by whose inner products the edges of their graph are likely."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from tacit.errors import TacitError
from tacit.method import Batch, Facts, Method, Paper, Recipe
from tacit.numerics.exact import full_precision
from tacit.numerics.processes import gather, total
from tacit.parts.messages import Messages, adjacency
from tacit.views.kinds import Plain


class VGAE(Method):
    """A node's code is drawn from a Gaussian that its neighbourhood says; codes that fit together have an edge.

    The encoder's last layer, without activation, is the two linear heads of the paper side by side: the first half of its
    answer is the mean, the second the logarithm of the standard deviation. `--middle 32 --width 32` are the paper's widths.
    `divergence` 0 leaves the KL term and the noise out: the GAE of the paper.

    checked: tkipf/gae@0ebbe9b
    Compared: cost, weights of its terms, targets (with every node joined to itself), heads and rate.
    Differs: layers have biases. Of graphs of more nodes than a batch, edges within the batch are the targets.
    """

    paper = Paper("Variational Graph Auto-Encoders", "Kipf, Welling", 2016, "arXiv:1611.07308")
    views = Plain(of={"graph": {"scaled": False}})  # the noise of the codes would drown smaller numbers
    whole_batch = True
    similarity = "dot"
    recipe = Recipe(lr=0.01, batch=4096, schedule="constant", epochs=200)

    def __init__(self, encoder: Messages, *, divergence: float = 1.0):
        super().__init__(encoder)
        if encoder.dim % 2 or divergence < 0:
            raise TacitError(
                f"The encoder is {encoder.dim} wide and divergence {divergence}; give an even --width and 0 or more."
            )
        self.divergence = divergence

    def prepare(self, facts: Facts):
        if facts.more.get("directed"):
            raise TacitError(
                "VGAE says only whether two nodes have an edge, and this graph is directed; give tacit.open(…).both()."
            )

    def step(self, batch: Batch):
        (view,) = batch
        mean, log_std = self.heads(view)
        with full_precision():
            noise = batch.normal("z", mean.shape[1]) if self.divergence else 0.0
            z, mine = mean + noise * log_std.exp(), view.nodes[view.rows]
            everyone, theirs = gather(z), gather(mine)
            edges = adjacency(view, theirs)
            n = len(theirs)
            there = total(edges.sum()).clamp(min=1)  # counted without a node's edge to itself, as published
            absent = (n * n - there).clamp(min=1)
            target = torch.where(mine[:, None] == theirs, 1.0, edges)
            fit = binary_cross_entropy_with_logits(z @ everyone.T, target, pos_weight=absent / there) * n * n / (2 * absent)
            apart = 0.5 * (mean.square() + (2 * log_std).exp() - 1 - 2 * log_std).sum(1).mean() / n
        return {"edges": fit, "divergence": (apart, self.divergence)}

    def heads(self, view) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the standard deviation, n × dim / 2 each."""
        mean, log_std = self.encoder.linear(view).float().chunk(2, 1)
        return mean, log_std

    def represent(self, batch: Batch) -> Tensor:
        return self.heads(batch.views[0])[0]
