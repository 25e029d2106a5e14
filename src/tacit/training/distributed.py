"""What training on several processes needs around `numerics.processes`: shared batch norms, shares of a batch, spawning."""

import numpy as np
import torch
from torch import Tensor, nn

from tacit.method import Batch
from tacit.numerics import processes
from tacit.training.streams import Stream


class SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch normalisation with the statistics of all processes; runs on any device, unlike torch's SyncBatchNorm."""

    def _check_input_dim(self, x: Tensor) -> None:
        if x.ndim < 2:
            raise ValueError(f"batch norm takes n × features …, not {tuple(x.shape)}")

    def forward(self, x: Tensor) -> Tensor:
        self._check_input_dim(x)
        out = self._normalised(x) if self.training else super().forward(x)
        for then in ("drop", "act"):  # what timm's norms do next, whose class this one takes the place of
            out = getattr(self, then)(out) if hasattr(self, then) else out
        return out

    def _normalised(self, x: Tensor) -> Tensor:
        axes = [axis for axis in range(x.ndim) if axis != 1]
        value = x.float()
        count = value.numel() / value.shape[1] * processes.size()
        mean = processes.total(value.sum(axes)) / count
        shape = [1, -1] + [1] * (x.ndim - 2)
        centred = value - mean.view(shape)
        variance = processes.total(centred.square().sum(axes)) / count
        if self.track_running_stats:
            assert self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None
            with torch.no_grad():
                self.num_batches_tracked += 1
                rate = self.momentum if self.momentum is not None else 1.0 / float(self.num_batches_tracked)
                self.running_mean.lerp_(mean, rate)
                self.running_var.lerp_(variance * count / max(count - 1, 1), rate)
        scale = torch.rsqrt(variance + self.eps)
        if not self.affine:
            return (centred * scale.view(shape)).to(x.dtype)
        return (centred * (scale * self.weight).view(shape) + self.bias.view(shape)).to(x.dtype)


def share_norms(module: nn.Module) -> None:
    """Give every batch norm inside a module the statistics of all processes, in place; the identity on one process."""
    if processes.size() == 1:
        return
    for norm in module.modules():
        if isinstance(norm, nn.modules.batchnorm._BatchNorm) and not isinstance(norm, SharedBatchNorm):
            norm.__class__ = SharedBatchNorm  # the same parameters and buffers, whoever holds them


def shares(index: np.ndarray, micro_batches: int) -> list[np.ndarray]:
    """What this process takes of a global batch: cut into micro-batches first, each then into the processes' parts."""
    size, rank = processes.size(), processes.rank()
    pieces = np.array_split(index, micro_batches)
    return [piece[rank * (len(piece) // size) : (rank + 1) * (len(piece) // size)] for piece in pieces]


def attach(parts: list[Batch], others: list[Stream], step: int) -> None:
    """Give the micro-batches of a step their shares of the streams that cycle."""
    for other in others:
        index, lap = other.at(step)
        for part, share in zip(parts, shares(index, len(parts))):
            part.others[other.name] = other.load(share, lap)


def join(parts: list[Batch]) -> Batch:
    """One batch for `after_step`: index, labels and what was kept of all micro-batches and processes, in global order."""

    def whole(tensors: list[Tensor]) -> Tensor:
        return torch.cat([processes.gather(tensor) for tensor in tensors])

    first = parts[0]
    host = np.concatenate([part.positions for part in parts]) if processes.size() == 1 else None
    joined = Batch([], whole([part.index for part in parts]), key=first.key, context=first.context, positions=host)
    if first.labels is not None:
        joined.labels = whole([part.labels for part in parts if part.labels is not None])
    joined.kept = {name: whole([part.kept[name] for part in parts]) for name in first.kept}
    joined.others = {name: join([part.others[name] for part in parts]) for name in first.others}
    return joined
