"""What every head on frozen embeddings comes to: one linear map, on embeddings as they are or on rows of length one."""

import torch
from torch import Tensor, nn

from tacit.numerics.exact import unit


class Affine(nn.Module):
    """x ↦ W x + b, or W x / ‖x‖ + b where `unit`."""

    weight: Tensor  # classes × d
    bias: Tensor  # classes
    unit: Tensor  # bool

    def __init__(self, weight: Tensor, bias: Tensor, unit: bool):
        super().__init__()
        self.register_buffer("weight", weight.float())
        self.register_buffer("bias", bias.float())
        self.register_buffer("unit", torch.tensor(unit))

    def forward(self, x: Tensor) -> Tensor:
        """Embeddings n × d -> logits n × classes, float32."""
        x = unit(x) if bool(self.unit) else x.float()
        return x @ self.weight.T + self.bias
