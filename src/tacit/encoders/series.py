"""Encoders of time series: dilated convolutions, a transformer of patches, strided convolutions, a small recurrent network."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tacit.errors import TacitError
from tacit.method import Facts
from tacit.parts.patches import sincos, take
from tacit.parts.sequences.stretches import stretches
from tacit.parts.transformer import Block
from tacit.views.masks import fitting_stretch


class DilatedTCN(nn.Module):
    """Residual convolutions of width 3 whose reach doubles from layer to layer (Bai et al. 2018, arXiv:1803.01271), seeing both
    sides as in TS2Vec (Yue et al. 2021, arXiv:2106.10466); the largest and the mean over time are laid side by side.

    Differs from both: every moment is normalised over its features before each layer, so that no series depends on its batch.
    """

    dim: int

    def __init__(self, facts: Facts, *, width: int = 64, depth: int = 6):
        super().__init__()
        channels, _ = series_shape(facts)
        _refuse_small("tcn", width=width, depth=depth)
        self.gaps = has_gaps(facts)
        self.first = nn.Conv1d(channels, width, 1)
        self.layers = nn.ModuleList(_Dilated(width, 2**number) for number in range(depth))
        self.dim = 2 * width

    def forward(self, x: Tensor) -> Tensor:
        """Series n × channels × t -> n × dim, for any t."""
        measured = seen(x, self.gaps)
        h = self.first(x)
        for layer in self.layers:
            h = layer(h)
        largest = h.masked_fill(measured == 0, -torch.inf).amax(2)
        return torch.cat([largest.masked_fill(largest.isinf(), 0), _mean(h, measured)], 1)


class PatchTransformer(nn.Module):
    """A transformer over patches of the series, all channels of a patch in one token (PatchTST: Nie et al. 2022,
    arXiv:2211.14730, section 3, which gives every channel tokens of its own).

    patch    values of a patch; 0: as the views cut them, into 32 at most
    """

    dim: int

    def __init__(self, facts: Facts, *, patch: int = 0, width: int = 96, depth: int = 3, heads: int = 3):
        super().__init__()
        channels, span = series_shape(facts)
        if min(width, depth, heads) < 1 or width % heads or width % 4:
            raise TacitError(
                f"patch_transformer got width {width}, depth {depth} and heads {heads}; the width must be a multiple of 4 and "
                "of the heads, and each of them above 0."
            )
        self.patch = patch or fitting_stretch(span)
        if self.patch < 0 or span % self.patch:
            raise TacitError(f"A view of {span} values cannot be cut into patches of {self.patch}; give a divisor.")
        self.gaps, self.dim = has_gaps(facts), width
        self.embed = nn.Linear(channels * self.patch, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def tokens(self, x: Tensor, keep: Tensor | None = None) -> Tensor:
        """Series n × channels × t -> n × patches × dim, of the kept ones only where `keep` (int64, n × k) says so."""
        patches = stretches(x, self.patch)
        places = sincos((1, patches.shape[1]), (1, patches.shape[1]), self.dim).to(x.device)
        tokens = self.embed(patches) + places
        if keep is not None:
            tokens = take(tokens, keep)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)

    def forward(self, x: Tensor) -> Tensor:
        """Series n × channels × t -> n × dim: the mean of the tokens of patches that were measured."""
        tokens = self.tokens(x)
        measured = stretches(seen(x, self.gaps), self.patch).mean(2, keepdim=True)
        return _mean(tokens.transpose(1, 2), measured.transpose(1, 2))


class StridedConv(nn.Module):
    """Two strided convolutions, and their mean over time.

    `sequence` gives what they see, in order: a latent of each hop² values sees about three times as many, and nothing further
    away, so that what is to come can be told from what has been.
    """

    dim: int

    def __init__(self, facts: Facts, *, width: int = 64, hop: int = 2):
        super().__init__()
        channels, span = series_shape(facts)
        _refuse_small("strided_conv", width=width, hop=hop)
        if hop**2 > span:
            raise TacitError(f"A hop of {hop}, twice over, was asked for and views have {span} values; give a smaller one.")
        self.gaps, self.least = has_gaps(facts), 2 * hop
        self.layers = nn.ModuleList(nn.Conv1d(before, width, 2 * hop, hop, padding=hop // 2) for before in (channels, width))
        self.norms = nn.ModuleList(_Moments(width) for _ in range(2))
        self.dim = width

    def sequence(self, x: Tensor) -> Tensor:
        """Series n × channels × t -> n × about t/hop² × dim, in order of time."""
        for layer, norm in zip(self.layers, self.norms):
            x = norm(layer(F.pad(x, (0, max(self.least - x.shape[2], 0))))).relu()
        return x.transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Series n × channels × t -> n × dim."""
        h = self.sequence(x)
        return _mean(h.transpose(1, 2), F.adaptive_avg_pool1d(seen(x, self.gaps), h.shape[1]))


class ConvGRU(nn.Module):
    """Two strided convolutions, then one recurrent layer (GRU: Cho et al. 2014, arXiv:1406.1078); its mean over time."""

    dim: int

    def __init__(self, facts: Facts, *, width: int = 64, hop: int = 2):
        super().__init__()
        self.first = StridedConv(facts, width=width, hop=hop)
        self.recurrent = nn.GRU(width, width, batch_first=True)
        self.dim = width

    def forward(self, x: Tensor) -> Tensor:
        """Series n × channels × t -> n × dim."""
        h, _ = self.recurrent(self.first.sequence(x))
        return _mean(h.transpose(1, 2), F.adaptive_avg_pool1d(seen(x, self.first.gaps), h.shape[1]))


def series_shape(facts: Facts) -> tuple[int, int]:
    """Channels and values of one view."""
    if len(facts.shape) != 2 or min(facts.shape) < 1:
        raise TacitError(
            f"An encoder of time series needs views of shape (channels, values), and these have {facts.shape}; "
            "take an encoder for this kind of data."
        )
    return facts.shape[0], facts.shape[1]


def has_gaps(facts: Facts) -> bool:
    """Whether the last channel of a view says what was measured."""
    return bool(facts.more.get("gaps", False))


def seen(x: Tensor, gaps: bool) -> Tensor:
    """How much of each moment was measured: n × 1 × t."""
    return x[:, -1:] if gaps else torch.ones_like(x[:, :1])


def _mean(h: Tensor, measured: Tensor) -> Tensor:
    """n × d × t and weights n × 1 × t -> n × d."""
    return (h * measured).sum(2) / measured.sum(2).clamp_min(1e-6)


def _refuse_small(name: str, **numbers: int) -> None:
    if min(numbers.values()) < 1:
        said = " and ".join(f"{option} {number}" for option, number in numbers.items())
        raise TacitError(f"{name} got {said}; give whole numbers of 1 or more.")


class _Moments(nn.LayerNorm):
    """Each moment normalised over its features, which tells nothing of other moments: n × d × t -> the same."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class _Dilated(nn.Module):
    """A residual layer: n × width × t -> the same."""

    def __init__(self, width: int, reach: int):
        super().__init__()
        self.norm = _Moments(width)
        self.inner = nn.Conv1d(width, width, 3, padding=reach, dilation=reach)
        self.outer = nn.Conv1d(width, width, 3, padding=reach, dilation=reach)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.outer(F.gelu(self.inner(F.gelu(self.norm(x)))))
