"""Encoders that earlier stages trained, kept beside the one that is trained now."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from tacit.numerics.processes import whole


def packed(encoder: nn.Module) -> Tensor:
    """All that an encoder holds as one row, float64, in which a stage may be given it: a stage's options are no modules."""
    held = encoder.state_dict().values()
    return torch.cat([whole(value).detach().cpu().double().flatten() for value in held])[None]


class Earlier(nn.Module):
    """Copies of an encoder with what rows of `packed` hold, k × p, frozen and in evaluation mode."""

    def __init__(self, like: Any, rows: Tensor):
        super().__init__()
        self.encoders = nn.ModuleList(copy.deepcopy(like).requires_grad_(False) for _ in rows)
        for encoder, row in zip(self.encoders, rows):
            held = encoder.state_dict()
            pieces = row.split([value.numel() for value in held.values()])
            encoder.load_state_dict({n: piece.view(v.shape).to(v.dtype) for (n, v), piece in zip(held.items(), pieces)})

    def train(self, mode: bool = True) -> "Earlier":
        return super().train(False)

    @torch.no_grad()
    def forward(self, x: Any) -> list[Tensor]:
        """n samples -> what each copy says of them, n × dim each."""
        return [encoder(x) for encoder in self.encoders]
