"""The only place where a computation crosses processes. On one process everything here is the identity.

Gradients are those of the mean over processes of their losses, which is what data-parallel averaging computes: a loss
written with `gather` or `total` gives N processes the gradients of one (tested for every method).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import torch
import torch.distributed as dist
from torch import Tensor


def size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0."""
    return dist.get_rank() if size() > 1 else 0


def gather(x: Tensor) -> Tensor:
    """The rows of all processes, in their order: n × … -> (size · n) × …. Every process must bring equally many."""
    return _Gather.apply(x) if size() > 1 else x


def mine(n: int, device: torch.device) -> Tensor:
    """Where this process's n rows are among the gathered ones of all: int64, n."""
    return torch.arange(n, device=device) + rank() * n


def total(x: Tensor) -> Tensor:
    """The sum over processes, of the same shape."""
    return _Total.apply(x) if size() > 1 else x


def mean(x: Tensor) -> Tensor:
    """The mean over processes, of the same shape."""
    return total(x) / size()


def pass_on(x: Tensor) -> Callable[[], Tensor]:
    """Begin to send x to the next process, the last one's to the first: a call waits for what the one before sends.

    The same shape and type everywhere; x, contiguous, must stay as it is until then. Without gradient.
    """
    received = torch.empty_like(x)
    here, everyone = rank(), size()
    sent, coming = dist.P2POp(dist.isend, x, (here + 1) % everyone), dist.P2POp(dist.irecv, received, (here - 1) % everyone)
    begun = dist.batch_isend_irecv([sent, coming])

    def wait() -> Tensor:
        for work in begun:
            work.wait()
        return received

    return wait


# ---- tensors of which each process holds a share (torch's `DTensor`), beside whole ones; lists are of one kind ----


def shared(value: Tensor) -> bool:
    """Whether this process holds a share of it."""
    return hasattr(value, "full_tensor")


def whole(value: Tensor) -> Tensor:
    """The whole of a share, which all processes must ask for at once; of anything else itself."""
    return value.full_tensor() if shared(value) else value  # type: ignore[attr-defined]


def like(value: Tensor, own: Tensor) -> Tensor:
    """This process's share of a whole tensor, where its own is a share."""
    if not shared(own) or shared(value) or value.shape != own.shape:
        return value
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(own, DTensor)
    return distribute_tensor(value.to(own.device), own.device_mesh, own.placements, src_data_rank=None)


def alike(tensors: Iterable[Tensor]) -> list[list[int]]:
    """Positions of the tensors of one kind, kind by kind."""
    kinds: dict[bool, list[int]] = defaultdict(list)
    for place, tensor in enumerate(tensors):
        kinds[shared(tensor)].append(place)
    return list(kinds.values())


def norms(tensors: Sequence[Tensor]) -> list[Tensor]:
    """The Euclidean norm of each whole tensor."""
    found: dict[int, Tensor] = {}
    for places in alike(tensors):
        found |= zip(places, map(whole, torch._foreach_norm([tensors[place] for place in places])))
    return [found[place] for place in range(len(tensors))]


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.rows = len(x)
        parts = [torch.empty_like(x, memory_format=torch.contiguous_format) for _ in range(size())]
        dist.all_gather(parts, x.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx, gradient):  # through `total`, so that it can be differentiated again
        return total(gradient)[rank() * ctx.rows : (rank() + 1) * ctx.rows]


class _Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        summed = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(summed)
        return summed

    @staticmethod
    def backward(ctx, gradient):
        return total(gradient)
