"""The heads on frozen embeddings, by value."""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from tacit.describing import checked_against
from tacit.evaluation.labelled.fine_tuning import Part, Tuned
from tacit.evaluation.labelled.linear import fit as fit_probe
from tacit.evaluation.labelled.linear import predict
from tacit.few_labels import probe, prototypes
from tacit.few_labels.heads import FROZEN, TUNED
from tacit.few_labels.tuning import at_the_best_rate


def blobs(n: int, classes: int = 3, dim: int = 6, noise: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    y = torch.arange(n) % classes
    return 4 * torch.eye(dim)[y] + noise * torch.randn(n, dim), y


def test_prototypes_are_the_nearest_mean_by_a_loop():
    x, y = blobs(30, noise=2.0)
    head = prototypes.fit(x[:20], y[:20])
    unit = normalize(x, dim=1)
    means = torch.stack([unit[:20][y[:20] == c].mean(0) for c in range(3)])
    for row, logits in zip(unit[20:], head(x[20:])):
        distances = [float((row - mean).square().sum()) for mean in means]
        assert int(logits.argmax()) == int(np.argmin(distances))
        torch.testing.assert_close(logits - logits[0], torch.tensor(distances[0]) - torch.tensor(distances), atol=1e-5, rtol=0)


def test_the_probe_is_the_linear_probe_at_one_of_its_penalties():
    x, y = blobs(60, noise=2.0)
    head = probe.fit(x[:45], y[:45], seed=1)
    penalties = tuple(sorted((1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0), reverse=True))
    each = [fit_probe(x[:45], y[:45], (penalty,)) for penalty in penalties]
    gaps = []
    for found in each:
        z = torch.nn.functional.pad((x[45:] - found.mean) @ found.axes, (0, 1), value=1.0)
        gaps.append(float((head(x[45:]) - z @ found.weights[0].T).abs().max()))
        assert torch.equal(predict(found, x[45:])[0], (z @ found.weights[0].T).argmax(1))
    assert min(gaps) < 1e-3


def test_the_penalty_is_strong_where_there_is_nothing_to_learn():
    torch.manual_seed(0)
    head = probe.fit(torch.randn(40, 20), torch.arange(40) % 2)
    assert float(head(torch.randn(200, 20)).softmax(1).amax(1).mean()) < 0.75


def test_one_sample_of_each_class_is_enough_for_a_head():
    x, y = blobs(3)
    for fit in FROZEN.values():
        assert fit(x, y, 0)(x).argmax(1).tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", FROZEN)
def test_heads_learn_and_are_the_same_again(name):
    x, y = blobs(120, dim=16)
    first, second = (FROZEN[name](x[:60], y[:60], 5) for _ in range(2))
    assert torch.equal(first.weight, second.weight) and torch.equal(first.bias, second.bias)
    assert float((first(x[60:]).argmax(1) == y[60:]).float().mean()) > 0.85


def test_the_best_rate_is_chosen_on_what_was_held_back():
    """Of models that say the truth with a confidence that the rate sets, the surest; and never by what it was trained on."""
    y = np.arange(20) % 2
    part = Part(lambda rows: torch.from_numpy(y[rows]).float()[:, None], y)
    trained = []

    class Said(torch.nn.Module):
        def __init__(self, rate):
            super().__init__()
            self.rate = rate

        def forward(self, x):
            return self.rate * torch.cat([-x, x], 1)

    def train(rows: np.ndarray, rate: float) -> Tuned:
        trained.append((len(rows), rate))
        return Said(rate)  # type: ignore[return-value]  # which is all that is asked of it

    found = at_the_best_rate(train, part, np.arange(20), seed=0, rates=(1.0, 9.0, 3.0))
    assert found.rate == 9.0
    assert trained == [(16, 1.0), (16, 3.0), (16, 9.0), (20, 9.0)]
    trained.clear()
    assert at_the_best_rate(train, part, np.array([0, 1]), seed=0, rates=(1.0, 9.0, 3.0)).rate == 3.0
    assert trained == [(2, 3.0)]


def test_published_heads_say_what_they_were_checked_against():
    told = {name: checked_against(fit.__doc__ or "") for name, fit in (FROZEN | TUNED).items()}
    assert told["sea"] == "idstcv/SeA@12b987c" and told["core_tuning"] == "Vanint/Core-tuning@f70e1bf"
