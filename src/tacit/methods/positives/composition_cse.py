"""Composition-contrastive sentence embeddings: a text finds what its two phrases make together."""

import torch
from torch import Tensor

from tacit.errors import positive
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.numerics.exact import unit
from tacit.objectives.n_pair import n_pair
from tacit.parts.sequences.phrases import phrases
from tacit.parts.sequences.unchanged import TEXT
from tacit.parts.text.sentence_head import sentence_head
from tacit.views.kinds import Phrases


class CompositionCSE(Method):
    """A text is cut in two, its phrases are encoded apart, and the whole text, through SimCSE's head, is to find their mean.

    Only the first `dims` numbers behind the head are compared. `concatenate`, with which the authors train RoBERTa, takes the
    first half of the first phrase and the second half of the second in place of the mean. The head is for training alone.

    checked: perceptiveshawty/CompCSE@7a8cb90
    Differs: a text is cut before a word drawn anew in each epoch, where the authors read phrases from a file that a discourse
    parser wrote; what the encoder gives is composed, of the native ones a mean of tokens and not the first; the maximum, which
    is broken as released, is left out; the rate falls by a cosine.
    """

    paper = Paper("Composition-contrastive Learning for Sentence Embeddings", "Chanchani, Huang", 2023, "arXiv:2307.07380")
    views = Phrases(of={"text": TEXT})
    whole_batch = True
    recipe = Recipe(optimizer="adamw", lr=3e-5, batch=64, epochs=1, clip=1.0)
    recipes = {"small": Recipe(optimizer="adamw", lr=1e-3, batch=256, epochs=5, warmup=0.5, clip=1.0)}

    def __init__(self, encoder: Encoder, *, temperature: float = 0.05, dims: int = 256, concatenate: bool = False):
        super().__init__(encoder)
        positive(temperature=temperature, dims=dims)
        self.projector = sentence_head(encoder.dim)
        self.temperature, self.dims, self.concatenate = temperature, dims, concatenate

    def step(self, batch: Batch):
        (view,), (drawn,) = batch, batch.params
        first, rest = phrases(view, drawn["starts"], batch.uniform("cut", 1)[:, 0])
        whole, composed = self.encoder(view), self._composed(self.encoder(first), self.encoder(rest))
        told, parts = (unit(self.projector(h)[:, : self.dims]) for h in (whole, composed))
        return n_pair(told[None], parts[None], 1 / self.temperature)

    def _composed(self, first: Tensor, rest: Tensor) -> Tensor:
        if self.concatenate:
            half = first.shape[1] // 2
            return torch.cat([first[:, :half], rest[:, half:]], 1)
        return (first + rest) / 2
