"""What ONNX has no operation for, written with those that it has: the same numbers, though slower here.

`portable` gives modules the class of their counterpart below, which derives from theirs and differs in one method.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tacit.encoders.audio import LogMel
from tacit.encoders.audio_models import TransformersAudio
from tacit.encoders.graphs import MeanGIN
from tacit.encoders.pretrained_text import Transformers
from tacit.encoders.text import Averaged, TextTransformer
from tacit.numerics.mel import FLOOR, WINDOW, filters, hop_of
from tacit.parts.sequences.packed import PackedBlock
from tacit.views.graphs import GraphsView


def portable(module: nn.Module) -> nn.Module:
    """The module itself, every part of it that ONNX cannot hold in its portable form."""
    for part in module.modules():
        part.__class__ = PORTABLE.get(type(part), type(part))
    return module


class PortableLogMel(LogMel):
    """The transform as a convolution with windowed cosines and sines, since runtimes differ in what STFT means to them."""

    def forward(self, x: Tensor) -> Tensor:
        window, hop = round(WINDOW * self.rate), hop_of(self.rate)
        size = 1 << (window - 1).bit_length()
        hann = F.pad(torch.hann_window(window, dtype=torch.float64), ((size - window) // 2, size - window - (size - window) // 2))
        turn = torch.arange(size // 2 + 1)[:, None] * torch.arange(size) * (2 * torch.pi / size)
        waves = torch.cat([turn.double().cos() * hann, turn.double().sin() * hann])[:, None].float()
        if x.shape[1] <= size // 2:
            x = x.repeat(1, size // 2 // x.shape[1] + 1)
        frames = -(-x.shape[1] // hop)
        found = F.conv1d(F.pad(x[:, None], (size // 2, size // 2), "reflect"), waves, stride=hop)[:, :, :frames]
        power = found[:, : size // 2 + 1].square() + found[:, size // 2 + 1 :].square()
        bank = filters(self.rate, size, self.mels) / float(hann.square().sum())
        return ((bank @ power + FLOOR).log() - self.mean) / self.std


class PortableAveraged(Averaged):
    """Sums over all places, those without a token weighing nothing."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight[x].exp() * (x > 0)
        return (self.table(x) * weight[:, :, None]).sum(1) / weight.sum(1, keepdim=True).clamp_min(1e-6)


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

    def sequence(self, x: Tensor) -> Tensor:
        native, rate = self.rates
        if native != rate:
            x = x @ _resampling(x.shape[1], native, rate).T
        heard = x - x.mean(1, keepdim=True)
        spread = (heard.square().sum(1, keepdim=True) / (heard.shape[1] - 1)).sqrt()
        return self.model(heard / spread.clamp_min(1e-7)).last_hidden_state


def _resampling(samples: int, native: int, rate: int) -> Tensor:
    """What `at_rate` does to each unit wave, as a matrix: size × samples."""
    from tacit.encoders.audio_models import at_rate

    return at_rate(torch.eye(samples, dtype=torch.float64), native, rate).T.float()


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
    TextTransformer: PortableTextTransformer,
    PackedBlock: PortableBlock,
    Transformers: PortableTransformers,
    TransformersAudio: PortableTransformersAudio,
    MeanGIN: PortableMeanGIN,
}
