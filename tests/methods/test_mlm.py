"""Masked language modelling: a step by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from tacit.data.text.generated import topics
from tacit.errors import TacitError
from tacit.material import fit_views
from tacit.method import Batch, Facts
from tacit.methods.masked.mlm import MLM
from tacit.views import Program


class Table(nn.Module):
    """Every token by itself, without context."""

    def __init__(self, vocabulary):
        super().__init__()
        self.table, self.dim = nn.Embedding(vocabulary + 1, 6), 6

    def tokens(self, x, keep=None):
        return self.table(x)


def test_a_step_is_the_cross_entropy_of_the_hidden_tokens():
    samples = topics(40)
    facts = samples.facts() | samples.statistics()
    views = fit_views(facts, {})
    torch.manual_seed(0)
    method = MLM(Table(facts["vocabulary"]))
    method.prepare(Facts("text", 40, views.shape, facts))
    looks, params = Program(MLM.views, views)(samples.read(np.arange(40))[0], np.arange(40), 0)
    loss = method.step(Batch(looks, torch.arange(40), params=params))
    logs = []
    for text, hidden, original in zip(looks[0], params[0]["hidden"], params[0]["original"]):
        for place in hidden.nonzero().flatten().tolist():
            row = method.head(method.encoder.table.weight[text[place]])
            scores = row @ method.encoder.table.weight.T[:, 1:] + method.bias
            logs.append(-scores.log_softmax(0)[original[place] - 1])
    assert float(loss.detach()) == pytest.approx(float(torch.stack(logs).mean().detach()), rel=1e-5)
    loss.backward()
    assert method.bias.grad.abs().sum() > 0 and method.encoder.table.weight.grad.abs().sum() > 0


def test_an_encoder_of_another_vocabulary_is_refused():
    with pytest.raises(TacitError, match="table of 7 tokens and the texts have 9"):
        MLM(Table(7)).prepare(Facts("text", 40, (16, 9), {}))
