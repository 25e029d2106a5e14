"""Encoders of texts: what is beside a text in its batch, and what is behind it, does not matter."""

import numpy as np
import pytest
import torch
from torch.nn.functional import pad

from tacit.data.text.generated import topics
from tacit.encoders.text import Averaged, TextTransformer
from tacit.errors import TacitError
from tacit.material import fit_views
from tacit.method import Facts

SAMPLES = topics(64)
MORE = SAMPLES.facts() | SAMPLES.statistics()
VIEWS = fit_views(MORE, {})
FACTS = Facts("text", 64, VIEWS.shape, MORE)
VIEW, _ = VIEWS.look(SAMPLES.read(np.arange(64))[0], np.arange(64), 0, crop=(0.1, 1.0))


@pytest.fixture(params=[Averaged, TextTransformer])
def encoder(request):
    torch.manual_seed(0)
    return request.param(FACTS, width=32).eval()


def test_each_text_alone_gives_what_it_gives_among_others(encoder):
    together = encoder(VIEW)
    assert together.shape == (64, encoder.dim) and together.isfinite().all()
    alone = torch.cat([encoder(row[None, : int((row > 0).sum())]) for row in VIEW])
    assert torch.allclose(together, alone, atol=1e-5)
    assert torch.allclose(encoder(pad(VIEW, (0, 5))), together, atol=1e-5)


def test_a_text_without_tokens_is_finite(encoder):
    assert encoder(torch.zeros(2, 4, dtype=torch.int64)).isfinite().all()


def test_dropout_makes_looks_differ_in_training_alone(encoder):
    assert torch.equal(encoder(VIEW), encoder(VIEW))
    assert not torch.equal(encoder.train()(VIEW), encoder(VIEW))


def test_the_average_is_that_of_a_naive_loop():
    encoder = Averaged(FACTS, width=8).eval()
    seen = [0, *map(int, MORE["seen"].split())]
    for row, got in zip(VIEW, encoder(VIEW)):
        tokens = row[row > 0].tolist()
        weights = torch.tensor([0.02 / (0.02 + seen[token] / 64) for token in tokens])
        naive = sum(weight * encoder.table.weight[token] for weight, token in zip(weights, tokens)) / weights.sum()
        assert torch.allclose(got, naive, atol=1e-5)


def test_the_order_of_words_matters_to_the_transformer_and_tokens_lie_where_they_were():
    encoder = TextTransformer(FACTS, width=32).eval()
    turned = VIEW.clone()
    turned[:, :2] = VIEW[:, :2].flip(1)
    assert not torch.allclose(encoder(turned), encoder(VIEW), atol=1e-4)
    tokens = encoder.tokens(VIEW)
    assert tokens.shape == (*VIEW.shape, 32) and tokens[VIEW == 0].abs().sum() == 0
    assert torch.allclose(tokens.sum(1) / (VIEW > 0).sum(1, keepdim=True), encoder(VIEW), atol=1e-5)


def test_wrong_facts_and_options_are_named():
    with pytest.raises(TacitError, match="kind vector"):
        Averaged(Facts("vector", 10, (3,)))
    with pytest.raises(TacitError, match="heads"):
        TextTransformer(FACTS, width=30, heads=4)
