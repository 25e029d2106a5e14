"""Three encoders of sounds: convolutions and a transformer over log-mel spectrograms, and convolutions on the wave itself."""

from itertools import pairwise
from math import prod

import torch.nn.functional as F
from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.method import Facts
from tacit.numerics.mel import MELS, hop_of, log_mel
from tacit.parts.patches import sincos, take
from tacit.parts.transformer import Block


class SpectrogramCNN(nn.Module):
    """Two 3×3 convolutions a stage over the spectrogram, the first of which halves it; as small as sounds of a word allow.

    The sum of mean and maximum over time of what is averaged over frequency, as in PANNs (Kong et al. 2020, arXiv:1912.10211,
    section III-A).
    """

    dim: int

    def __init__(self, facts: Facts, *, width: int = 32, stages: int = 3, mels: int = MELS):
        super().__init__()
        wave_shape(facts)
        positive(width=width, stages=stages, mels=mels)
        self.front = LogMel(facts, mels)
        widths = [1, *(width * 2**i for i in range(stages))]
        self.layers = nn.Sequential(
            *(layer for before, after in pairwise(widths) for layer in (_Conv(before, after, 2), _Conv(after, after, 1)))
        )
        self.dim = widths[-1]

    def maps(self, x: Tensor) -> Tensor:
        """Waves n × t -> n × dim × bands × frames, each halved in each stage (rounded up)."""
        return self.layers(self.front(x)[:, None])

    def forward(self, x: Tensor) -> Tensor:
        """Waves n × t, for any t -> n × dim."""
        over_time = self.maps(x).mean(2)
        return over_time.mean(2) + over_time.amax(2)


class SpectrogramTransformer(nn.Module):
    """A transformer over patches of the spectrogram (AST: Gong et al. 2021, arXiv:2104.01778).

    Differs from the paper: patches do not overlap, as in SSAST's pre-training; fixed sine-cosine positions, those of time
    counted from the beginning of the view, so that any length is encoded; the mean of the tokens and no class token.

    band_patch, frame_patch   bands and frames of a patch; frames that do not fill one are left out
    """

    dim: int
    area: int  # numbers of a patch
    rows: int  # patches over all bands
    embed: nn.Module  # from what a patch holds to its token, without where it lies

    def __init__(
        self,
        facts: Facts,
        *,
        width: int = 192,
        depth: int = 4,
        heads: int = 3,
        band_patch: int = 16,
        frame_patch: int = 4,
        mels: int = MELS,
    ):
        super().__init__()
        frames = -(-wave_shape(facts) // hop_of(int(facts.more["rate"])))
        if width < 4 or heads < 1 or depth < 1 or width % heads or width % 4:
            raise TacitError(
                f"spectrogram_transformer got width {width}, depth {depth} and heads {heads}; the width must be a multiple of "
                "4 and of the heads, and each of them above 0: keep to 64 per head."
            )
        if band_patch < 1 or mels % band_patch or not 1 <= frame_patch <= frames:
            raise TacitError(
                f"Spectrograms of {mels} bands and {frames} frames cannot be cut into patches of {band_patch} × "
                f"{frame_patch}; give a --band-patch that divides the bands, and a --frame-patch that the view holds."
            )
        self.front = LogMel(facts, mels)
        self.dim, self.area, self.rows = width, band_patch * frame_patch, mels // band_patch
        self.patch = band_patch, frame_patch
        self.embed = nn.Linear(self.area, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def patches(self, x: Tensor) -> Tensor:
        """Waves n × t -> the patches of their standardised spectrograms, n × p × area: band by band, then frame by frame."""
        bands, frames = self.patch
        mels = self.front(x)
        columns = mels.shape[2] // frames
        pieces = mels[:, :, : columns * frames].unflatten(2, (columns, frames)).unflatten(1, (self.rows, bands))
        return pieces.transpose(2, 3).flatten(3).flatten(1, 2)

    def positions(self, count: int) -> Tensor:
        """Where `count` patches lie: count × dim."""
        grid = self.rows, count // self.rows
        return sincos(grid, grid, self.dim).to(next(self.parameters()).device)

    def attended(self, tokens: Tensor) -> Tensor:
        """Tokens with their positions, n × k × dim, through all layers."""
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)

    def tokens(self, x: Tensor, keep: Tensor | None = None) -> Tensor:
        """Waves n × t -> n × p × dim, one token per patch.

        With `keep` (int64, n × k, positions in that order) only those patches enter the network: the cost falls with their
        number.
        """
        patches = self.patches(x)
        positions = self.positions(patches.shape[1])
        if keep is not None:
            patches, positions = take(patches, keep), positions[keep]
        return self.attended(self.embed(patches) + positions)

    def forward(self, x: Tensor) -> Tensor:
        """Waves n × t -> n × dim: the mean of the tokens."""
        return self.tokens(x).mean(1)


class WaveConvolutions(nn.Module):
    """Strided convolutions without padding on the wave itself: wav2vec's (Schneider et al. 2019, arXiv:1904.05862, section 3).

    Each is followed by a norm over channels and time, and ReLU. With `strides` left empty they are the paper's 5, 4, 2, 2, 2 at
    16 000 samples a second, and at fewer so many of them that a latent is of about 10 ms. Narrower than the paper's 512.
    """

    dim: int
    stride: int  # samples from one latent to the next
    field: int  # samples that a latent sees

    def __init__(self, facts: Facts, *, width: int = 128, kernels: tuple[int, ...] = (), strides: tuple[int, ...] = ()):
        super().__init__()
        samples, rate = wave_shape(facts), int(facts.more["rate"])
        if not strides:
            strides = next(PAPER_STRIDES[:k] for k in range(5, 0, -1) if k == 1 or prod(PAPER_STRIDES[:k]) <= 0.0125 * rate)
        kernels = kernels or PAPER_KERNELS[: len(strides)]
        if width < 1 or len(kernels) != len(strides) or min((*kernels, *strides), default=0) < 1:
            raise TacitError(
                f"wave_convolutions got width {width}, kernels {kernels} and strides {strides}; give equally many, from 1 on."
            )
        self.stride, self.field = prod(strides), 1
        for i, kernel in enumerate(kernels):
            self.field += (kernel - 1) * prod(strides[:i])
        if self.field > samples:
            raise TacitError(
                f"A latent sees {self.field} samples and a view has {samples}; give longer views (--seconds) or other strides."
            )
        widths = [1, *[width] * len(kernels)]
        self.layers = nn.Sequential(
            *(_WaveConv(before, after, k, s) for (before, after), k, s in zip(pairwise(widths), kernels, strides))
        )
        self.dim = width

    def sequence(self, x: Tensor) -> Tensor:
        """Waves n × t -> latents in time, n × l × dim."""
        return self.layers(x[:, None]).transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Waves n × t -> n × dim: the mean over time."""
        return self.sequence(x).mean(1)


PAPER_KERNELS, PAPER_STRIDES = (10, 8, 4, 4, 4), (5, 4, 2, 2, 2)


class LogMel(nn.Module):
    """Waves n × t -> standardised log-mel spectrograms, n × mels × frames, by the mean and deviation of the training part."""

    def __init__(self, facts: Facts, mels: int):
        super().__init__()
        self.rate, self.mels = int(facts.more["rate"]), mels
        self.mean, self.std = float(facts.more.get("mean", 0.0)), float(facts.more.get("std", 1.0))

    def forward(self, x: Tensor) -> Tensor:
        return (log_mel(x, self.rate, self.mels) - self.mean) / self.std


def wave_shape(facts: Facts) -> int:
    """Samples of one view."""
    if len(facts.shape) != 1 or facts.shape[0] < 2 or "rate" not in facts.more:
        raise TacitError(
            f"An encoder of sounds needs views of shape (samples,) at a known rate, and these have {facts.shape}; "
            "take an encoder for this kind of data."
        )
    return facts.shape[0]


class _Conv(nn.Module):
    def __init__(self, before: int, after: int, stride: int):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(before, after, 3, stride, padding=1, bias=False), nn.BatchNorm2d(after)
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


class _WaveConv(nn.Module):
    def __init__(self, before: int, after: int, kernel: int, stride: int):
        super().__init__()
        self.conv, self.norm = nn.Conv1d(before, after, kernel, stride, bias=False), nn.GroupNorm(1, after)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))
