"""MLM: masked language modelling, as BERT is pretrained."""

import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch, Facts, Method, Paper, Recipe
from tacit.objectives.text.hidden_tokens import hidden_tokens
from tacit.parts.sequences.unchanged import TEXT
from tacit.parts.sequences.wanted import Words
from tacit.views.kinds import MaskedTokens


class MLM(Method):
    """Some tokens are hidden, and told from the others; the words that are compared with are those that went in.

    `mask_ratio`, the share that is hidden, is an option of the views.

    unverified: google-research/bert@02102db was read (run_pretraining.py: the head is a layer, GELU and a norm; it is compared
    with the table of tokens, with a bias for each) and not run.
    Differs: no next sentence is told; the hidden tokens of a text are not limited to 20; the rate falls by a cosine.
    """

    paper = Paper(
        "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
        "Devlin, Chang, Lee, Toutanova",
        2019,
        "arXiv:1810.04805",
    )
    views = MaskedTokens(of={"text": TEXT})
    whole_batch = True
    recipe = Recipe(optimizer="adamw", lr=1e-4, batch=256, weight_decay=0.01, epochs=40, warmup=0.4, clip=1.0)
    recipes = {"small": recipe.but(lr=1e-3, epochs=20, warmup=1)}

    def __init__(self, encoder: Words):
        super().__init__(encoder)
        width = encoder.table.embedding_dim
        self.head = nn.Sequential(nn.Linear(encoder.dim, width), nn.GELU(), nn.LayerNorm(width, eps=1e-12))

    def prepare(self, facts: Facts):
        self.bias = nn.Parameter(torch.zeros(facts.shape[1]))
        if len(self.encoder.table.weight) != facts.shape[1] + 1:
            raise TacitError(
                f"The encoder has a table of {len(self.encoder.table.weight) - 1} tokens and the texts have {facts.shape[1]}; "
                "take an encoder for these texts."
            )

    def step(self, batch: Batch):
        (view,), (drawn,) = batch, batch.params
        hidden, original = drawn["hidden"], drawn["original"]
        told = self.head(self.encoder.tokens(view)[hidden[:, : view.shape[1]]])
        return hidden_tokens(told, self.encoder.table.weight[1:], self.bias, original[hidden] - 1)
