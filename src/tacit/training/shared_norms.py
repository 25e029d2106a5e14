"""Batch norms that take the statistics of all processes."""

import torch
from torch import Tensor, nn

from tacit.numerics import processes


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
        rows = value.new_full((1,), value.numel() / value.shape[1])  # not alike on all: graphs of a batch differ in their nodes
        sums = processes.total(torch.cat([value.sum(axes), rows]))  # by one exchange: a deep net has many norms
        count, mean = sums[-1], sums[:-1] / sums[-1]
        shape = [1, -1] + [1] * (x.ndim - 2)
        centred = value - mean.view(shape)
        variance = processes.total(centred.square().sum(axes)) / count
        if self.track_running_stats:
            assert self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None
            with torch.no_grad():
                self.num_batches_tracked += 1
                rate = self.momentum if self.momentum is not None else 1.0 / float(self.num_batches_tracked)
                self.running_mean.lerp_(mean, rate)
                self.running_var.lerp_(variance * count / (count - 1).clamp(min=1), rate)
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
