"""Models of `transformers` that hear the wave itself, as encoders: wav2vec 2.0, HuBERT, WavLM, data2vec, UniSpeech, SEW."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tacit.encoders.audio import wave_shape
from tacit.errors import TacitError
from tacit.method import Facts


class TransformersAudio(nn.Module):
    """A model of the library `transformers`; waves reach it at its own rate, each of mean 0 and deviation 1.

    model       a name on the hub (facebook/wav2vec2-base) or a folder with a config.json; its weights are downloaded where they
                are not in the cache; empty: wav2vec 2.0 made small, with fresh weights
    pretrained  False: only its architecture is taken, with fresh weights
    model_rate  samples a second that it was made for

    A model that is fed spectrograms (AST, Whisper) brings a front end of its own, and is refused.
    """

    dim: int
    model: Any

    def __init__(self, facts: Facts, *, model: str = "", pretrained: bool = True, model_rate: int = 16_000):
        super().__init__()
        wave_shape(facts)
        self.rates = int(facts.more["rate"]), model_rate
        self.model = _loaded(model, pretrained)
        self.dim = int(self.model.config.hidden_size)

    def sequence(self, x: Tensor) -> Tensor:
        """Waves n × t -> the last layer's answer in time, n × l × dim."""
        heard = at_rate(x.float(), *self.rates)
        heard = (heard - heard.mean(1, keepdim=True)) / heard.std(1, keepdim=True).clamp_min(1e-7)
        return self.model(heard).last_hidden_state

    def forward(self, x: Tensor) -> Tensor:
        """Waves n × t -> n × dim: the mean over time."""
        return self.sequence(x).mean(1)


SMALL: dict[str, Any] = {
    "hidden_size": 192,
    "num_hidden_layers": 4,
    "num_attention_heads": 3,
    "intermediate_size": 768,
    "conv_dim": (128,) * 7,
}


def at_rate(x: Tensor, native: int, rate: int) -> Tensor:
    """Waves n × t at another rate, by their spectrum: what the higher rate has more of is silent, what is above is left out."""
    if native == rate:
        return x
    size = max(round(x.shape[1] * rate / native), 1)
    return torch.fft.irfft(torch.fft.rfft(x), size) * (size / x.shape[1])


def _loaded(name: str, pretrained: bool) -> nn.Module:
    try:
        import transformers
    except ImportError:
        raise TacitError(f"The encoder {name} is of the library transformers; pip install 'tacit[audio]'.") from None
    try:
        if not name:
            return _ready(transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**SMALL)))
        config = transformers.AutoConfig.from_pretrained(name)
        if not hasattr(config, "conv_stride"):
            raise TacitError(
                f"{name} is a {config.model_type} model and is not fed waves; take one that is, such as facebook/wav2vec2-base."
            )
        if pretrained:
            return _ready(transformers.AutoModel.from_pretrained(name, use_safetensors=True))
        return _ready(transformers.AutoModel.from_config(config))
    except (OSError, ValueError) as error:
        where = "the folder" if Path(name).is_dir() else "the hub, or the cache,"
        line = " ".join(str(error).split())[:160]
        raise TacitError(
            f"{where} has no model {name} that can be loaded ({line}); check the name, or give a folder."
        ) from None


def _ready(model: Any) -> nn.Module:
    """Without what only fine-tuning uses: its own masks, and layers that are left out at random."""
    model.config.apply_spec_augment, model.config.layerdrop = False, 0.0
    if hasattr(model, "masked_spec_embed"):
        model.masked_spec_embed.requires_grad_(False)
    return model
