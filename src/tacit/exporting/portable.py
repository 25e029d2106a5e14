"""What ONNX has no operation for, written with those that it has: the same numbers, though slower here.

`portable` gives modules the class of their counterpart below, which derives from theirs and differs in one method. What
they hold constant is made when they are first called, which must be before a graph is traced: there every tensor is fake.
"""

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tacit.encoders.audio import LogMel
from tacit.encoders.audio_models import TransformersAudio, at_rate
from tacit.encoders.graph import GAT
from tacit.encoders.graphs import MeanGIN
from tacit.encoders.ngrams import AveragedNGrams
from tacit.encoders.pretrained_text import Transformers
from tacit.encoders.text import Averaged, TextTransformer
from tacit.errors import TacitError
from tacit.numerics.cbow import FACTOR
from tacit.numerics.mel import FLOOR, WINDOW, filters, hop_of
from tacit.parts.sequences.packed import PackedBlock
from tacit.views.graph import GraphView
from tacit.views.graphs import GraphsView

MOST = 1 << 27  # numbers of a matrix that brings waves to another rate


def portable(module: nn.Module) -> nn.Module:
    """The module itself, every part of it that ONNX cannot hold in its portable form."""
    for part in module.modules():
        part.__class__ = PORTABLE.get(type(part), type(part))
    return module


class PortableLogMel(LogMel):
    """The transform as a product of frames with windowed cosines and sines, since runtimes differ in what STFT means to them.

    In float64: what is quiet beside what is loud loses its digits in float32 where nobody sums as carefully as an FFT does.
    """

    held: tuple[Tensor, Tensor, Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        size = _transform(self.rate)
        if x.shape[1] <= size // 2:
            x = x.repeat(1, size // 2 // x.shape[1] + 1)
        self.held = self.held or _constants(x.shape[1], self.rate, self.mels)
        place, waves, bank = self.held
        found = x.index_select(1, place.flatten()).unflatten(1, place.shape).double() @ waves  # n × frames × 2 bins
        power = found.square().unflatten(2, (2, -1)).sum(2).float()
        logged = (power @ bank / FLOOR + 1).log() + math.log(FLOOR)  # optimisers of graphs take a sum with 1e-8 for none
        return (logged.transpose(1, 2) - self.mean) / self.std


def _transform(rate: int) -> int:
    return 1 << (round(WINDOW * rate) - 1).bit_length()


def _constants(samples: int, rate: int, mels: int) -> tuple[Tensor, Tensor, Tensor]:
    """Where the samples of each frame lie, frames × size; windowed cosines, then sines, size × 2 bins; filters, bins × mels."""
    size, window, hop = _transform(rate), round(WINDOW * rate), hop_of(rate)
    place = torch.arange(-(-samples // hop))[:, None] * hop + torch.arange(size) - size // 2
    place = (samples - 1) - ((samples - 1) - place.abs()).abs()  # mirrored at both ends
    before = (size - window) // 2
    hann = F.pad(torch.hann_window(window, dtype=torch.float64), (before, size - window - before))
    turn = (torch.arange(size)[:, None] * torch.arange(size // 2 + 1) % size).double() * (2 * torch.pi / size)
    waves = torch.cat([turn.cos(), turn.sin()], 1) * hann[:, None]
    return place, waves, filters(rate, size, mels).T / float(hann.square().sum())


class PortableAveraged(Averaged):
    """Sums over all places, those without a token weighing nothing."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight[x].exp() * (x > 0)
        return (self.table(x) * weight[:, :, None]).sum(1) / weight.sum(1, keepdim=True).clamp_min(1e-6)


class PortableAveragedNGrams(AveragedNGrams):
    """All texts at once; row 0 weighs nothing."""

    def forward(self, x: Tensor) -> Tensor:
        hashed, places = x, [x]
        for n in range(1, self.ngrams):
            hashed = (hashed[:, :-1] * FACTOR + x[:, n:]) % self.buckets
            places.append(torch.where(x[:, n:] > 0, self.first + hashed, 0))
        rows = torch.cat(places, 1)
        there = rows > 0
        return (self.rows[rows] * there[:, :, None]).sum(1) / there.sum(1, keepdim=True).clamp_min(1)


class Padding(NamedTuple):
    """In the place of `parts.sequences.packed.Packing`: all n × t places one after another, elements or not."""

    there: Tensor  # bool, n × t

    def pack(self, x: Tensor) -> Tensor:
        return x.flatten(0, 1)

    def padded(self, x: Tensor) -> Tensor:
        return x.view(*self.there.shape, -1) * self.there[:, :, None]

    def mean(self, x: Tensor) -> Tensor:
        return self.padded(x).sum(1) / self.there.sum(1, keepdim=True).clamp_min(1)


class PortableBlock(PackedBlock):
    """Attention over padded texts."""

    def _attended(self, qkv: Tensor, among: Any) -> Tensor:
        n, t = among.there.shape
        q, k, v = qkv.view(n, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = among.there | ~among.there.any(1, keepdim=True)  # of a text without tokens all, so that nothing is 0 / 0
        found = F.scaled_dot_product_attention(q, k, v, seen[:, None, None, :].expand(n, 1, t, t))
        return found.transpose(1, 2).flatten(2).flatten(0, 1)


class PortableTextTransformer(TextTransformer):
    """Texts padded to the longest of them."""

    def _packed(self, x: Tensor) -> tuple[Tensor, Any]:
        place = torch.ones_like(x).cumsum(1) - 1
        there = (x > 0) & (place < self.longest)
        row = self.begin((self.table(x) + self.where[place.clamp(max=self.longest - 1)]).flatten(0, 1))
        among = Padding(there)
        for block in self.blocks:
            row = block(row, among)
        return self.norm(row), among


class PortableTransformers(Transformers):
    """All texts at once, padded to the longest of them; it may have `longest` tokens at most."""

    def _parts(self, x: Tensor) -> Any:
        there, n = x > 0, x.shape[0]
        before, behind = (part.expand(n, -1) for part in self.around.split([self.before, self.behind]))
        ids = torch.cat([before, x, torch.zeros_like(behind)], 1)
        place = self.before + there.sum(1, keepdim=True) + torch.arange(self.behind)
        ids = ids.scatter(1, place, behind)
        hidden = self.model(inputs_embeds=self.table(ids), attention_mask=(ids > 0).long()).last_hidden_state
        yield torch.arange(n), hidden[:, 0], hidden[:, self.before : self.before + x.shape[1]] * there[..., None]

    def forward(self, x: Tensor) -> Tensor:
        ((_, first, answers),) = self._parts(x)
        return first if self.pooling == "first" else answers.sum(1) / (x > 0).sum(1, keepdim=True).clamp_min(1)


class PortableTransformersAudio(TransformersAudio):
    """Waves brought to the model's rate by what each sample adds to each, a product with a matrix."""

    held: Tensor | None = None

    def sequence(self, x: Tensor) -> Tensor:
        native, rate = self.rates
        if native != rate:
            self.held = _resampling(x.shape[1], native, rate) if self.held is None else self.held
            x = x @ self.held
        heard = x - x.mean(1, keepdim=True)
        spread = (heard.square().sum(1, keepdim=True) / (heard.shape[1] - 1)).sqrt()
        return self.model(heard / spread.clamp_min(1e-7)).last_hidden_state


def _resampling(samples: int, native: int, rate: int) -> Tensor:
    """What `at_rate` makes of each unit wave: samples × as many at the other rate."""
    numbers = samples * round(samples * rate / native)
    if numbers > MOST:
        raise TacitError(
            f"Waves of {samples} samples at {native} a second would be brought to {rate} by a matrix of {numbers:,} numbers; "
            "train on sounds at the model's rate to export it, or on shorter ones (--plain-seconds)."
        )
    return at_rate(torch.eye(samples, dtype=torch.float64), native, rate).float()


class PortableGAT(GAT):
    """Attention to all neighbours at once; a node's own edge to itself, where it has one, counts as the one that is added."""

    def linear(self, view: GraphView) -> Tensor:
        x = view.x
        for layer, activation in zip(self.layers[:-1], self.activations):
            x = activation(_attended(layer, x, view.edge_index))
        return _attended(self.layers[-1], x, view.edge_index)[view.rows]


def _attended(layer: Any, x: Tensor, edge_index: Tensor) -> Tensor:
    """torch-geometric's GATConv: m × F and 2 × E -> m × (heads · width)."""
    source, target = edge_index
    h = layer.lin(x).view(-1, layer.heads, layer.out_channels)
    told, heard = (h * layer.att_src).sum(2), (h * layer.att_dst).sum(2)
    own = F.leaky_relu(told + heard, layer.negative_slope)
    each = F.leaky_relu(told[source] + heard[target], layer.negative_slope)
    each = torch.where((source == target)[:, None], -torch.inf, each)
    top = own.scatter_reduce(0, target[:, None].expand(-1, layer.heads), each, "amax")
    own, each = (own - top).exp(), (each - top[target]).exp()
    total = own.index_add(0, target, each)[:, :, None]
    found = (own[:, :, None] * h).index_add(0, target, each[:, :, None] * h[source]) / total
    return found.flatten(1) + layer.bias


class PortableMeanGIN(MeanGIN):
    """How many nodes a graph has by adding ones."""

    def forward(self, view: GraphsView) -> Tensor:
        x = self.embedding(view.x)
        for layer, norm in zip(self.layers[:-1], self.norms):
            x = norm(layer(x, view.edge_index)).relu()
        x = self.norms[-1](self.layers[-1](x, view.edge_index))
        return view.pooled(x) / view.pooled(torch.ones_like(x[:, :1]))


PORTABLE: dict[type, type] = {
    LogMel: PortableLogMel,
    Averaged: PortableAveraged,
    AveragedNGrams: PortableAveragedNGrams,
    TextTransformer: PortableTextTransformer,
    PackedBlock: PortableBlock,
    Transformers: PortableTransformers,
    TransformersAudio: PortableTransformersAudio,
    GAT: PortableGAT,
    MeanGIN: PortableMeanGIN,
}
