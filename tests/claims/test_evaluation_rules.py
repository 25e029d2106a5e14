"""The rules of the claims about evaluation and wrappers, and what these claims compute by themselves."""

import math

import numpy as np
import pytest
import torch

from tacit import claims
from tacit.claims.claim import Found
from tacit.claims.evaluation.contrastive_loss_behaviour import likenesses
from tacit.claims.evaluation.embedding_similarity_rag import recovered
from tacit.claims.evaluation.mi_maximization import Bijection, Joined
from tacit.claims.evaluation.url_benchmark import Entropy
from tacit.objectives.nt_xent import nt_xent


def lying(knn: float, uniformity: float, tolerance: float, share: float) -> dict[str, float]:
    return {"knn": knn, "uniformity": uniformity, "tolerance": tolerance, "penalty of the nearest 10": share}


FOR = {  # by arm: the claim's metric, or metrics by name, that speak for it
    "contrastive_loss_behaviour": {
        "temperature 0.07": lying(35, -3.5, 0.1, 20),
        "temperature 0.3": lying(40, -3.0, 0.2, 5),
        "temperature 1.0": lying(37, -2.0, 0.4, 1),
        "temperature 1.0, hard": lying(41, -3.1, 0.2, 1),
        "simple": lying(33, -1.5, 0.5, 1),
        "simple, hard": lying(41, -3.1, 0.2, 1),
    },
    "mi_maximization": {
        "bijective, untrained": {"linear": 83},
        "bijective": {"linear": 87, "bound": 4.5},
        "dense": {"linear": 90, "bound": 4.0},
        "dense, MLP critic": {"linear": 85, "bound": 4.3},
        "dense, 2 nats": {"linear": 82, "bound": 2.0},
        "convolutional, 2 nats": {"linear": 88, "bound": 2.01},
    },
    "embedding_similarity_rag": {
        "by score": {"ari": 0.1},
        "by CKA": {
            "ari": 0.9, "shared by the closest": 0.4,
            "uncertain at 1": 0.02, "uncertain at 10": 0.01, "uncertain at 100": 0.005,
        },
        "by neighbours": {"ari": 0.8},
    },
    "url_benchmark": {"class entropy": 60, "loss prediction": 65, "probabilistic embeddings": 66},
    "relative_reps": {
        "itself, absolute": 95, "itself, 500 anchors": 94, "another seed, absolute": 12, "another seed, 10 anchors": 60,
        "another seed, 100 anchors": 89, "another seed, 500 anchors": 91, "another method, absolute": 10,
        "another method, 500 anchors": 84,
    },
}  # fmt: skip


def found(key: str, numbers: dict, noise: float = 0.001) -> Found:
    """Made-up measurements under all seeds, a little different under each."""
    claim = claims.find(key)
    arms = {}
    for place, (arm, value) in enumerate(numbers.items()):
        named = value if isinstance(value, dict) else {claim.metric: value}
        arms[arm] = [{m: v + noise * np.sin(7 * place + 3 * seed) for m, v in named.items()} for seed in range(claim.seeds)]
    return Found(arms, claim.metric)


@pytest.mark.parametrize("key", list(FOR))
def test_numbers_that_speak_for_a_claim_meet_all_conditions(key):
    assert list(FOR[key]) == list(claims.find(key).arms)
    met = claims.find(key).rule(found(key, FOR[key]))
    assert met and all(met.values()), met


@pytest.mark.parametrize("key", list(FOR))
def test_where_all_arms_are_alike_the_claim_does_not_hold(key):
    flat = {arm: dict.fromkeys(value, 1.0) if isinstance(value, dict) else 30.0 for arm, value in FOR[key].items()}
    met = claims.find(key).rule(found(key, flat, noise=0))
    assert not all(met.values()), met


@pytest.mark.parametrize(
    ("key", "arm", "value", "broken"),
    [
        ("contrastive_loss_behaviour", "temperature 0.3", lying(36, -3.0, 0.2, 5), "kNN is best between"),
        (
            "contrastive_loss_behaviour", "temperature 0.3", lying(40, -1.9, 0.2, 5),
            "the lower the temperature, the more uniform",
        ),
        (
            "contrastive_loss_behaviour", "temperature 0.3", lying(40, -3.0, 0.5, 5),
            "the higher the temperature, the more tolerant",
        ),
        ("contrastive_loss_behaviour", "temperature 1.0, hard", lying(36, -3.0, 0.2, 1), "and raise its kNN"),
        ("contrastive_loss_behaviour", "simple, hard", lying(30, -3.0, 0.2, 1), "and raise its kNN too"),
        (
            "mi_maximization", "bijective", {"linear": 80, "bound": 4.5},
            "training a bijective encoder raises the probe, though the information cannot change",
        ),
        ("mi_maximization", "dense, MLP critic", {"linear": 85, "bound": 3.7}, "the MLP critic's bound is the tighter"),
        ("mi_maximization", "dense, MLP critic", {"linear": 91, "bound": 4.3}, "its probe is the worse"),
        (
            "mi_maximization", "convolutional, 2 nats", {"linear": 88, "bound": 1.8},
            "held to 2 nats, both encoders have the same bound (within 0.1)",
        ),
        (
            "mi_maximization", "convolutional, 2 nats", {"linear": 80, "bound": 2.0},
            "and the convolutional one the better probe",
        ),
        ("embedding_similarity_rag", "by score", {"ari": 0.95}, "and follow them better than clusters by score"),
        ("embedding_similarity_rag", "by neighbours", {"ari": 0.4}, "clusters by shared neighbours do so too"),
        ("url_benchmark", "class entropy", 70, "loss prediction is above the class entropy"),
        ("url_benchmark", "probabilistic embeddings", 48, "so is the variance"),
        ("relative_reps", "another seed, absolute", 60, "in absolute coordinates it loses more than half"),
        ("relative_reps", "another seed, 10 anchors", 92, "more anchors are better: 100 above 10"),
        ("relative_reps", "another method, 500 anchors", 50, "between methods eight tenths"),
    ],
)  # fmt: skip
def test_each_condition_can_be_broken_by_its_own(key, arm, value, broken):
    met = claims.find(key).rule(found(key, FOR[key] | {arm: value}))
    assert not met[broken]


def test_with_all_negatives_the_hard_loss_is_simclrs():
    torch.manual_seed(0)
    first, second = torch.randn(2, 6, 8)
    cosines = likenesses(first, second, 1.0)
    assert cosines.shape == (12, 11)
    loss = torch.nn.functional.cross_entropy(cosines / 0.3, torch.zeros(12, dtype=torch.int64))
    torch.testing.assert_close(loss, nt_xent(first, second, 0.3))


def test_the_hard_negatives_are_the_nearest():
    torch.manual_seed(0)
    first, second = torch.nn.functional.normalize(torch.randn(2, 6, 8), dim=2)
    z = torch.cat([first, second])
    own, *others = likenesses(first, second, 0.3)[2].tolist()
    assert own == pytest.approx(float(first[2] @ second[2]))
    assert others == pytest.approx(sorted((float(z[2] @ z[j]) for j in range(12) if j not in (2, 8)), reverse=True)[:3])


def test_a_bijection_keeps_volume_and_begins_as_the_identity():
    torch.manual_seed(0)
    flow, x = Bijection(8).double(), torch.randn(3, 8, dtype=torch.float64)
    still = torch.autograd.functional.jacobian(lambda row: flow(row[None])[0], x[0])
    torch.testing.assert_close(still, torch.eye(8, dtype=torch.float64))
    for parameter in flow.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    moved = torch.autograd.functional.jacobian(lambda row: flow(row[None])[0], x[0])
    assert not torch.allclose(moved, torch.eye(8, dtype=torch.float64))
    assert float(torch.linalg.det(moved)) == pytest.approx(1)


def test_the_joined_critic_is_a_network_of_both():
    torch.manual_seed(0)
    critic, x, y = Joined(4), torch.randn(3, 4), torch.randn(3, 4)
    hidden = (critic.first.weight @ x[1] + critic.first.bias + critic.second.weight @ y[2]).relu()
    torch.testing.assert_close(critic(x, y)[1, 2], critic.score(hidden)[0])


def test_the_entropy_of_a_classifier_that_knows_nothing():
    classifier = torch.nn.Linear(5, 7)
    torch.nn.init.zeros_(classifier.weight)
    torch.nn.init.zeros_(classifier.bias)
    torch.testing.assert_close(Entropy(classifier)(torch.randn(2, 5)), torch.full((2, 1), math.log(7)))


def test_a_tree_that_follows_the_families_recovers_them():
    names = ["SimCLR 32 0", "VICReg 32 0", "SimCLR 48 0", "VICReg 48 0"]
    same = np.array([[name[0] == other[0] for other in names] for name in names])
    size = np.array([[name[7:9] == other[7:9] for other in names] for name in names])
    assert recovered(names, np.where(same, 0.9, 0.2)) == 1
    assert recovered(names, np.where(size, 0.9, 0.2)) < 0.1
