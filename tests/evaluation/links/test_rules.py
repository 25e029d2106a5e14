"""Rules: nearest chains by a naive loop, and how often they hold by hand."""

import torch

from tacit.evaluation.links.rules import confidence, mine

PARENT, GRAND, OTHER = 0, 1, 2
TRIPLES = torch.tensor(
    [[0, PARENT, 1], [1, PARENT, 2], [3, PARENT, 1], [2, PARENT, 5], [0, GRAND, 2], [3, GRAND, 2], [4, OTHER, 4]]
)


def test_confidence_by_hand():
    # parent of parent: 0-2, 3-2, 1-5, of which the first two are grandparents
    assert confidence(PARENT, PARENT, GRAND, TRIPLES, 6) == (2 / 3, 3)
    assert confidence(PARENT, OTHER, GRAND, TRIPLES, 6) == (0.0, 0)


def test_the_nearest_chains_whose_types_fit():
    relations = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    (rule,) = mine(relations, torch.add, TRIPLES, 6, top=5)
    assert rule[:3] == (PARENT, PARENT, GRAND) and rule.distance == 0 and rule.body == 3


def test_by_a_naive_loop():
    torch.manual_seed(0)
    triples = torch.cat([torch.randint(8, (90, 1)), torch.randint(4, (90, 1)), torch.randint(8, (90, 1))], 1)
    relations = torch.randn(4, 3)
    wanted = []
    for a in range(4):
        for b in range(4):
            for c in set(range(4)) - {a, b}:
                joined = relations[a] * relations[b]
                wanted.append((float((joined / joined.norm() - relations[c] / relations[c].norm()).norm()), a, b, c))
    found = mine(relations, torch.mul, triples, 8, top=6)
    for rule, (far, a, b, c) in zip(found, sorted(wanted)[:6], strict=True):
        assert rule[:3] == (a, b, c) and abs(rule.distance - far) < 1e-5


def test_matrices_are_chained_by_their_product():
    turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    relations = torch.stack([turn, turn @ turn, torch.eye(2)])
    (rule,) = mine(relations, torch.matmul, TRIPLES, 6, top=1)
    assert rule[:3] == (PARENT, PARENT, GRAND) and rule.distance < 1e-6
