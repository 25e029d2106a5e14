"""The cross-entropy of all answers to a question, against torch's with a table of targets."""

import torch
from torch.nn.functional import cross_entropy

from tacit.objectives.answers import answered


def test_by_a_table_of_targets():
    torch.manual_seed(0)
    questions, entities = torch.randn(3, 4, requires_grad=True), torch.randn(6, 4, requires_grad=True)
    answers, offsets = torch.tensor([5, 1, 2, 0, 3, 4]), torch.tensor([0, 1, 3])
    targets = torch.zeros(3, 6)
    for question, own in enumerate(([5], [1, 2], [0, 3, 4])):
        targets[question, own] = 1 / len(own)
    wanted = cross_entropy(questions @ entities.T, targets, reduction="sum")
    found = answered(questions, entities, answers, offsets)
    torch.testing.assert_close(found, wanted)
    for mine, other in zip(*(torch.autograd.grad(loss, (questions, entities)) for loss in (found, wanted))):
        torch.testing.assert_close(mine, other)
