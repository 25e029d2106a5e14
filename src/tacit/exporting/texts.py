"""Texts in, as numbers of tokens; the tokenizer lies beside the file."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from tacit.data.samples import Samples
from tacit.data.text.tokenizer import KEPT
from tacit.exporting.front import Front, one
from tacit.views.text import TextViews


class TextFront(Front):
    """Tokens and where there are some -> tokens from 1, zeros behind the last."""

    names = ("input_ids", "attention_mask")
    varying = ({0: "batch", 1: "tokens"}, {0: "batch", 1: "tokens"})
    said = (
        f"int64, batch × tokens: what tokenizer.json makes of each text without special tokens, {KEPT} at most",
        "int64, batch × tokens: 1 where there is a token, 0 behind the last",
    )

    def __init__(self, views: TextViews, facts: Mapping[str, Any]):
        super().__init__()
        self.written, self.pieces = str(facts["tokenizer"]), views.shape[1]

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        place = attention_mask.ne(0).long().cumsum(1)
        return torch.where((attention_mask > 0) & (place <= KEPT), input_ids + 1, 0)

    def made_up(self) -> tuple[Tensor, ...]:
        ids = torch.randint(0, self.pieces, (3, 7), generator=torch.Generator().manual_seed(0))
        mask = (torch.arange(7) < torch.tensor([[7], [2], [5]])).long()
        return ids * mask, mask

    def sample(self, samples: Samples, position: int) -> tuple[tuple[Tensor, ...], Any]:
        content, bad = samples.read(one(position))
        if bad:
            raise ValueError(bad[position])
        return (content.tokens[None], torch.ones_like(content.tokens)[None]), content

    def beside(self) -> dict[str, str]:
        return {"tokenizer.json": self.written}
