"""Gradient caching: the networks see a batch in chunks, and the batch's gradients are exact.

Gao, Zhang, Han, Callan 2021 (arXiv:2101.06983), section 3.2: representations of all chunks first, without what a backward
would need; the loss of the whole batch; then each chunk once more, with its gradient by the representations. Here every chunk
is a checkpoint of torch's, so a method needs to know nothing of it: its `step` calls its encoder as ever. Each chunk is
computed twice, with the random state and the precision of the first time, so dropout hides the same.

What is held is the representations of the batch, whatever the method computes of them, and one chunk's activations. The
encoder's batch norms see a chunk and not the batch: their gradients are those of norms over chunks (`normalising`).
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, partial, wraps
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tacit.errors import TacitError
from tacit.method import Dual, Method, nested

CALLS = ("forward", "tokens", "maps", "joint", "denoise", "sequence", "frames")  # of an encoder: n × … -> n × …
BATCH_NORMS = (nn.modules.batchnorm._BatchNorm,)

NORMS = "The encoder normalises over samples, so each chunk is normalised by itself, and gradients are not the whole batch's."


@contextmanager
def chunked(method: Method, rows: int) -> Iterator[None]:
    """Meanwhile every encoder inside a method, its teachers' too, takes so many samples at once; 0: all of them."""
    if rows and method.second_order:
        raise TacitError(f"{type(method).__name__} differentiates through a gradient, and chunks hold none; leave --chunk out.")
    if rows == 1 and normalising(method):
        raise TacitError("The encoder normalises over samples and --chunk 1 gives it one at a time; give --chunk 2 or more.")
    found = [(encoder, _as_is(encoder)) for encoder in (encoders(method) if rows else [])]
    for encoder, (kind, own) in found:
        encoder.__class__ = _in_chunks(kind, rows)  # whoever holds it, and a copy of it, goes on as before
        vars(encoder).update({name: partial(_cut(_told(call), rows), encoder) for name, call in own.items()})
    try:
        yield
    finally:
        for encoder, (kind, own) in found:
            encoder.__class__ = kind
            vars(encoder).update(own)


def encoders(method: Method) -> list[nn.Module]:
    """The encoders inside a method: its own, those of methods inside it, their parts where they have two, and all copies."""
    own = [inner.encoder for inner in nested(method)]
    own += [part for encoder in own if isinstance(encoder, Dual) for part in (encoder.first, encoder.second)]
    own += [part[0] for part in own if type(part) is nn.Sequential]  # one that is brought to the other's width
    kinds = {type(one) for one in own if isinstance(one, nn.Module)} - {nn.Sequential}
    return [module for module in method.modules() if type(module) in kinds]


def normalising(method: Method) -> bool:
    """Whether an encoder normalises over the samples of a batch, so that chunks change what it computes."""
    return any(isinstance(module, BATCH_NORMS) for encoder in encoders(method) for module in encoder.modules())


@cache
def _in_chunks(kind: Any, rows: int) -> Any:
    """The same class, whose calls are cut into chunks of rows."""
    calls = {name: _cut(getattr(kind, name), rows) for name in CALLS if hasattr(kind, name)}
    return type(kind.__name__, (kind,), {**calls, "__module__": kind.__module__, "__qualname__": kind.__qualname__})


def _as_is(encoder: nn.Module) -> tuple[Any, dict[str, Any]]:
    """An encoder's class, and its calls that are not its class's: of one that is sharded all but forward."""
    return type(encoder), {name: call for name, call in vars(encoder).items() if name in CALLS and callable(call)}


def _told(call: Callable[..., Any]) -> Callable[..., Any]:
    """A call that knows whose it is, as one that is told."""
    return lambda _, *given, **named: call(*given, **named)


def _cut(call: Callable[..., Any], rows: int) -> Callable[..., Any]:
    @wraps(call)
    def in_chunks(encoder: nn.Module, x: Any, *rest: Any, **named: Any) -> Any:
        if not isinstance(x, Tensor):
            raise TacitError(
                f"--chunk cuts batches between samples, and a {type(x).__name__}, which {type(encoder).__name__} takes, "
                "is one whole; leave --chunk out."
            )
        if (n := len(x)) <= rows:
            return call(encoder, x, *rest, **named)
        pieces, cuts = [], min(-(-n // rows), n // min(rows, 2))  # as even as can be: no norm gets one sample of a rest
        for start, end in pairwise(n * cut // cuts for cut in range(cuts + 1)):
            given = [_rows(one, n, start, end) for one in (x, *rest)]
            by_name = {name: _rows(one, n, start, end) for name, one in named.items()}
            if torch.is_grad_enabled():
                twice = partial(_twice, encoder)
                piece = checkpoint(call, encoder, *given, use_reentrant=False, context_fn=twice, **by_name)
            else:
                piece = call(encoder, *given, **by_name)
            if not isinstance(piece, Tensor) or len(piece) != len(given[0]):
                raise TacitError(
                    f"{type(encoder).__name__} does not answer with a row per sample, so batches stay whole; leave --chunk out."
                )
            pieces.append(piece)
        return torch.cat(pieces)

    return in_chunks


def _twice(encoder: nn.Module) -> tuple[AbstractContextManager, AbstractContextManager]:
    """What is around the first computation of a chunk, and around those of its backwards."""
    return nullcontext(), _Unmoved(encoder)


class _Unmoved:
    """Meanwhile buffers are copies: statistics of norms move once for a chunk, not twice."""

    def __init__(self, encoder: nn.Module):
        self.encoder = encoder

    def __enter__(self) -> None:
        self.held = [(module, name, value) for module in self.encoder.modules() for name, value in module._buffers.items()]
        for module, name, value in self.held:
            module._buffers[name] = None if value is None else value.clone()

    def __exit__(self, *error: object) -> None:
        for module, name, value in self.held:
            module._buffers[name] = value


def _rows(value: Any, n: int, start: int, end: int) -> Any:
    """A chunk of what has a row for each of n samples; all of anything else."""
    return value[start:end] if isinstance(value, Tensor) and value.ndim and len(value) == n else value
