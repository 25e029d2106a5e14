"""What is known of each sample: its class, its cluster, and whether it is held out to judge by."""

import torch
from torch import Tensor, nn

from tacit.methods.contrast.subspace_learners.batches import in_turns
from tacit.methods.contrast.subspace_learners.clusters import reassigned, told
from tacit.methods.contrast.subspace_learners.patience import Patience


class Members(nn.Module):
    """What is known of each of n samples.

    label     int64, n: its class, known once it was seen
    held      bool, n: whether it is judged by and not trained on
    assigned  int64, n: its cluster; −1: of none
    epochs    int64: how many were planned
    joint     bool: whether all samples move all dimensions
    """

    label: Tensor
    held: Tensor
    assigned: Tensor
    epochs: Tensor
    joint: Tensor

    def __init__(self, n: int, held_out: float, patience: int):
        super().__init__()
        self.patience = Patience(patience)
        self.register_buffer("label", torch.zeros(n, dtype=torch.int64))
        self.register_buffer("held", torch.randperm(n) < max(1, round(held_out * n)))
        self.register_buffer("assigned", torch.full((n,), -1))
        self.register_buffer("epochs", torch.zeros((), dtype=torch.int64))
        self.register_buffer("joint", torch.ones((), dtype=torch.bool))

    def all_once(self, size: int) -> list[Tensor]:
        """The first epoch's batches, by which labels become known: every sample comes, some twice to fill the last."""
        self.epochs += 1
        order = torch.randperm(len(self.label))
        return list(order[torch.arange(-(-len(order) // size) * size) % len(order)].split(size))

    def moved(self, index: Tensor, owner: Tensor) -> Tensor:
        """Which dimensions a batch moves: those of its cluster's learner, or all; bool, dim."""
        return (owner == self.assigned[index[0]]) | self.joint

    def stuck(self, z: Tensor) -> bool:
        """Whether clusters of those held out tell no more of their classes than before: of all samples' embeddings, n × dim."""
        held = self.held.cpu()
        return self.patience.over(told(z[held], self.label.cpu()[held]))

    def assign(self, features: Tensor, learners: int, every: int, joint: bool) -> None:
        """Clusters of the coming epoch, one for each learner, of n × d: found anew `every` so many epochs; one where joint."""
        if joint or int(self.epochs) == 1 or int(self.epochs) % every == 0:
            rows = ~self.held.cpu()
            label, before = self.label.cpu()[rows], self.assigned.cpu()[rows]
            self.assigned[rows] = reassigned(features[rows], label, before, 1 if joint else learners).to(self.assigned)
        self.joint.fill_(joint)
        self.epochs += 1

    def in_turns(self, size: int, each: int) -> list[Tensor]:
        """Batches of later epochs: `batches.in_turns`."""
        return in_turns(self.assigned.cpu(), self.label.cpu(), size, each)
