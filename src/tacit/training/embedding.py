"""All samples of a stream through a method, in sample order: what `before_epoch` and later stages are handed."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.method import Batch, Method
from tacit.numerics import processes
from tacit.training.streams import Stream


def embedder(method: Method, streams: dict[str, Stream], autocast: Callable, batch: int = 512) -> Callable[..., Tensor]:
    """`embed(stream=None, how=None)` -> N × d on the CPU, float32; `how(batch)` -> n × d defaults to `represent`.

    Every process embeds its share and gets all of it. Modules are in evaluation mode meanwhile.
    """

    def embed(stream: str | None = None, how: Callable[[Batch], Tensor] | None = None) -> Tensor:
        source = streams[stream or next(iter(streams))]
        share = -(-source.n // processes.size())
        mine = np.minimum(np.arange(share) + processes.rank() * share, source.n - 1)
        own = represent(method, source, mine, autocast, how or method.represent, batch)
        return processes.gather(own.to(source.device)).cpu()[: source.n]  # collectives run where the processes compute

    return embed


@torch.no_grad()
def represent(method: Method, stream: Stream, index: np.ndarray, autocast: Callable, how: Callable, batch: int = 512) -> Tensor:
    """These samples without randomness, through `how`: n × d on the CPU, float32."""
    training = method.training
    method.eval()
    try:
        with autocast():
            rows = [how(stream.plain(index[at : at + batch])).detach().float().cpu() for at in range(0, len(index), batch)]
    finally:
        method.train(training)
    _refuse_other_width(method, rows[0], how)
    return torch.cat(rows)


def is_the_encoder_s(how: Callable) -> bool:
    """Whether what is represented is the encoder's own answer: a method has no way of its own."""
    return getattr(how, "__func__", None) is Method.represent


def _refuse_other_width(method: Method, answer: Tensor, how: Callable) -> None:
    """Refuse an encoder that gives something else than it says; where a method answers itself, nobody else can know."""
    dim = getattr(method.encoder, "dim", None)
    if is_the_encoder_s(how) and answer.shape[1:] != (dim,):
        raise TacitError(
            f"The encoder {type(method.encoder).__name__} gives {tuple(answer.shape)} for {len(answer)} samples and says that "
            f"dim is {dim}; let it give samples × dim."
        )
