"""One layer of a transformer."""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import has_torch_function

LONGEST = 256  # tokens, of which scores of all pairs are kept for the backward pass: beyond, these take too much memory


class Block(nn.Module):
    """Attention, then a perceptron, each on normalised tokens and added to them; n × t × width."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm1(x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # n × heads × t × d
        x = x + self.out(attention(q, k, v).transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm2(x))


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Scaled dot-product attention of queries … × t × d to keys and values … × s × d -> … × t × d.

    As torch's own, but in bf16 on a processor without matrix units written out: forward and backward take its fused kernel
    2 to 8 times as long there (benchmarks/attention.py). A mode that looks for torch's function finds it.
    """
    written_out = q.dtype == torch.bfloat16 and q.device.type == "cpu" and k.shape[-2] <= LONGEST and not matrix_units()
    if not written_out or has_torch_function((q, k, v)):
        return F.scaled_dot_product_attention(q, k, v)
    return (q * q.shape[-1] ** -0.5 @ k.mT).softmax(-1) @ v


@cache
def matrix_units() -> bool:
    """Whether this processor multiplies bf16 matrices in hardware (AMX)."""
    return bool(torch.cpu.get_capabilities().get("amx_bf16"))
