"""Texts seen once more: a span of one, words dropped, phrases in another order, tokens hidden."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from tacit.data.text.samples import Texts
from tacit.data.text.tokenizer import KEPT, Tokenizer, tokenizer
from tacit.errors import TacitError, shares, unknown
from tacit.numerics import counter
from tacit.views import changed
from tacit.views.kinds import MaskedTokens, MultiCrop, Neighbours, Pair, Plain, Single, View

SHORTEST, TYPICAL = 16, 128  # between them lies the length that views have by default
HASHED = 4096  # columns of words that stand for raw input
REPLACED, OTHER = 0.8, 0.9  # draws below which a hidden token is replaced by the mask, and by another token


@dataclass(frozen=True, eq=False)
class Lexicon:
    """What views know of the tokens, by their numbers in a view: one more than the tokenizer's, 0 being no token."""

    by: Tokenizer
    mask: int  # 0: there is none
    goes_on: Tensor  # bool: whether a token goes on with the word before it
    idf: Tensor  # float32: log of the inverse share of the texts that have it, smoothed; 0 of no token
    rarest: float  # of what no text has

    def __str__(self) -> str:
        return str(self.by)

    def said(self, view: Tensor) -> list[str]:
        """Views n × t as texts again."""
        return [self.by.said(token - 1 for token in row if token) for row in view.tolist()]


@dataclass(frozen=True)
class TextViews:
    """The options of a view of a text. A word is kept or dropped with all of its tokens, and one is always kept.

    A view is int64, n × `longest`: tokens from 1, zeros behind the last. Spans as positives are of Giorgi et al. 2021
    (arXiv:2006.03659), dropped and reordered words of Wu et al. 2020 (arXiv:2012.15466).
    """

    lexicon: Lexicon
    longest: int  # tokens of a view, at most; those beyond are left out
    crop: tuple[float, float] = (0.5, 1.0)  # range of the share of the words, one after another, that a view shows
    local_crop: tuple[float, float] = (0.2, 0.5)  # the same for small views
    drop: float = 0.1  # probability that a word is dropped
    shuffle: int = 1  # phrases of equal length that a view is cut into, which change places; 1: none do
    mask_ratio: float = 0.15  # share of the tokens of a masked view that is hidden, at least one

    name: ClassVar[str] = "text"
    parts: ClassVar[int] = 1
    kinds: ClassVar[tuple[type[View], ...]] = (Plain, Single, Pair, MultiCrop, Neighbours, MaskedTokens)
    unsuited: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        shares(drop=self.drop)
        for name in ("longest", "shuffle"):
            if getattr(self, name) < 1:
                raise TacitError(f"{name} is {getattr(self, name)}; give 1 or more.")
        if not 0 < self.mask_ratio < 1:
            raise TacitError(f"mask_ratio is {self.mask_ratio}; give a share above 0 and below 1.")
        for name in ("crop", "local_crop"):
            low, high = getattr(self, name)
            if not 0 < low <= high <= 1:
                raise TacitError(f"{name} is {low}, {high}; give two shares above 0, the smaller first, up to 1.")

    @classmethod
    def fit(cls, facts: Mapping[str, Any], **overrides: Any) -> "TextViews":
        """Options for texts of which `facts` says the `tokenizer` (JSON), in how many of `texts` each token is `seen`, and what
        length is `long`: views hold 95 % of the texts whole, but from 16 to 128 tokens."""
        longest = min(max(SHORTEST, -(-int(facts["long"]) // 8) * 8), TYPICAL)
        lexicon = _lexicon(facts["tokenizer"], facts["seen"], int(facts["texts"]))
        return cls(lexicon, longest).but(**overrides)

    def but(self, **how: Any) -> "TextViews":
        """The same options with some changed."""
        if "lexicon" in how:
            raise TacitError("The lexicon is read off the texts; it is no option.")
        return changed(self, how) if how else self

    @property
    def shape(self) -> tuple[int, int]:
        """Of one view: tokens, and how many there are in the vocabulary."""
        return (self.longest, len(self.lexicon.idf) - 1)

    def look(
        self, content: Texts, index: np.ndarray, key: int, role: str = "global", **how: Any
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """One view of each text: int64, n × `longest`, on the content's device; and what was drawn for it.

        index int64, n: whose randomness each text has; `how` changes options for this view. Role "plain" is the text as it is,
        without parameters, as long as the longest of them. Role "local" shows a `local_crop`. Role "masked" has two parameters:

        hidden    bool, n × longest: the tokens that are to be told
        original  int64, n × longest: the tokens before some were hidden; of the hidden 80 % are the mask, 10 % another token
                  and 10 % as they were (Devlin et al. 2019, arXiv:1810.04805, section 3.1)
        """
        options = self.but(**how)
        tokens, there = _padded(content)
        if role == "plain":
            return tokens[:, :KEPT], {}
        if role not in ("global", "local", "masked"):
            raise unknown("role of a view", role, ("global", "local", "masked", "plain"))
        view = options._shown(tokens, there, index, key, options.local_crop if role == "local" else options.crop)
        if role == "masked":
            return options._masked(view, index, key)
        return view, {}

    def raw(self, view: Tensor) -> Tensor:
        """What raw input means for texts: words hashed into columns, (1 + log tf) · idf, of length 1; n × 4096."""
        words, weight, row = self.words(view)
        counted = torch.zeros(len(view), HASHED, device=view.device)
        counted.index_put_((row, words % HASHED), weight, accumulate=True)
        return torch.nn.functional.normalize(counted, dim=1)

    def words(self, view: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The different words of each text as hashes of their pieces, what each weighs, and which text it is of: m each.

        The inverse document frequency of a word of several pieces is their sum, up to that of what no text has.
        """
        idf = self.lexicon.idf.to(view.device)
        there = view > 0
        starts = there & ~self.lexicon.goes_on.to(view.device)[view]
        starts[:, 0] |= there[:, 0]
        word = starts.cumsum(1).sub(1).clamp_min(0) + torch.arange(len(view), device=view.device)[:, None] * view.shape[1]
        inside = (
            torch.arange(view.shape[1], device=view.device)
            - torch.where(starts, torch.arange(view.shape[1], device=view.device), 0).cummax(1).values
        )
        many = len(view) * view.shape[1]
        code = torch.zeros(many, dtype=torch.int64, device=view.device)
        code.index_add_(0, word[there], (view * (2 * inside + 1) * 0x9E3779B1 % 0x7FFFFFFF)[there])
        rare = torch.zeros(many, device=view.device).index_add_(0, word[there], idf[view][there])
        used = word[starts]
        pairs = torch.stack([used // view.shape[1], code[used]], 1)
        kinds, back, often = pairs.unique(dim=0, return_inverse=True, return_counts=True)
        weight = torch.zeros(len(kinds), device=view.device)
        weight[back] = rare[used].clamp_max(self.lexicon.rarest)
        return kinds[:, 1], (1 + often.log()) * weight, kinds[:, 0]

    def _shown(self, tokens: Tensor, there: Tensor, index: np.ndarray, key: int, crop: tuple[float, float]) -> Tensor:
        """A span of the words of each text, some of them dropped, its phrases in a drawn order: n × longest."""
        n, width = tokens.shape
        device = tokens.device
        place = torch.arange(width, device=device)
        starts = there & ~self.lexicon.goes_on.to(device)[tokens]
        starts[:, 0] = True
        word = starts.cumsum(1) - 1  # of each token; what is behind the last token goes with the last word
        words = word[:, -1] + 1
        span = torch.from_numpy(counter.uniform(counter.key(key, "span"), index, 2)).to(device)
        wanted = ((crop[0] + (crop[1] - crop[0]) * span[:, 0]) * words).ceil().clamp(min=1).minimum(words).long()
        first = (span[:, 1] * (words - wanted + 1)).floor().long()
        shown = there & (word >= first[:, None]) & (word < (first + wanted)[:, None])
        if self.drop:
            luck = torch.from_numpy(counter.uniform(counter.key(key, "drop"), index, width)).to(device).gather(1, word)
            luckiest = luck.masked_fill(~shown, -1.0).amax(1, keepdim=True)
            shown &= (luck >= self.drop) | (luck == luckiest)
        order = place.expand(n, width)
        if self.shuffle > 1:
            turns = torch.from_numpy(counter.uniform(counter.key(key, "shuffle"), index, self.shuffle)).to(device)
            phrase = ((word - first[:, None]) * self.shuffle // wanted[:, None]).clamp(0, self.shuffle - 1)
            order = turns.argsort(1).argsort(1).gather(1, phrase) * width + place
        order = order.masked_fill(~shown, width * self.shuffle + 1).argsort(dim=1, stable=True)[:, : self.longest]
        view = tokens.masked_fill(~shown, 0).gather(1, order)
        return torch.nn.functional.pad(view, (0, self.longest - view.shape[1]))

    def _masked(self, view: Tensor, index: np.ndarray, key: int) -> tuple[Tensor, dict[str, Tensor]]:
        if not self.lexicon.mask:
            raise TacitError("The tokenizer has no mask, by which tokens are hidden; take one with [MASK] or <mask>.")
        draws = [
            torch.from_numpy(counter.uniform(counter.key(key, name), index, self.longest)).to(view.device)
            for name in ("hide", "replace", "other")
        ]
        luck = draws[0].masked_fill(view == 0, 2.0)
        hidden = (luck < self.mask_ratio) | (luck == luck.amin(1, keepdim=True))
        other = (draws[2] * self.shape[1]).long() + 1
        replaced = torch.where(draws[1] < REPLACED, self.lexicon.mask, torch.where(draws[1] < OTHER, other, view))
        return torch.where(hidden, replaced, view), {"hidden": hidden, "original": view}


def _padded(content: Texts) -> tuple[Tensor, Tensor]:
    """Tokens counted from 1, n × the longest, zeros behind the last of each; and where there is one."""
    lengths = content.offsets.diff()
    place = torch.arange(max(int(lengths.max()), 1) if len(lengths) else 1, device=lengths.device)
    there = place < lengths[:, None]
    tokens = torch.zeros(there.shape, dtype=torch.int64, device=lengths.device)
    tokens[there] = content.tokens + 1
    return tokens, there


@lru_cache(8)
def _lexicon(written: str, seen: str, texts: int) -> Lexicon:
    by = tokenizer(written)
    counts = torch.tensor([0, *map(int, seen.split())], dtype=torch.float32)
    idf = ((texts + 1) / (counts + 1)).log() + 1
    idf[0] = 0
    goes_on = torch.from_numpy(np.concatenate([[False], by.goes_on]))
    return Lexicon(by, by.mask + 1, goes_on, idf, float(np.log(texts + 1)) + 1)
