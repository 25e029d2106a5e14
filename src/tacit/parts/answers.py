"""The distinct questions (head, relation, ?) and (?, relation, tail) that triples answer, and all answers to each."""

import torch
from torch import Tensor, nn

SIDES = 2  # 0 asks for tails, 1 for heads


class Answers(nn.Module):
    """By the first triple that asks each question, so that a batch of triples is a batch of questions.

    `spans[side, i]` says where the answers of triple i begin in `entities[side]` and how many they are; 0: it asks nothing
    that an earlier triple has not asked.
    """

    entities: Tensor
    spans: Tensor

    def __init__(self, n: int):
        super().__init__()
        self.register_buffer("entities", torch.zeros(SIDES, n, dtype=torch.int64))
        self.register_buffer("spans", torch.zeros(SIDES, n, 2, dtype=torch.int64))

    def learn(self, triples: Tensor) -> None:
        """Sort the triples of the training part, int64, n × 3 in sample order, by what they ask."""
        triples = triples.to(self.entities.device)
        for side, (anchor, answer) in enumerate(((0, 2), (2, 0))):
            asked = triples[:, anchor] * (triples[:, 1].max() + 1) + triples[:, 1]
            order = asked.argsort(stable=True)
            _, counts = asked[order].unique_consecutive(return_counts=True)
            begin = counts.cumsum(0) - counts
            self.entities[side] = triples[order, answer]
            self.spans[side] = 0
            self.spans[side, order[begin]] = torch.stack([begin, counts], 1)

    def asking(self) -> Tensor:
        """The positions of all triples that ask something."""
        return (self.spans[:, :, 1] > 0).any(0).nonzero()[:, 0]

    def of(self, index: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
        """Which of these triples ask on a side; the answers of all, one after another; where each one's begin."""
        begin, counts = self.spans[side, index].unbind(1)
        rows = counts.nonzero()[:, 0]
        begin, counts = begin[rows], counts[rows]
        offsets = counts.cumsum(0) - counts
        within = torch.arange(int(counts.sum()), device=index.device) - offsets.repeat_interleave(counts)
        return rows, self.entities[side][begin.repeat_interleave(counts) + within], offsets
