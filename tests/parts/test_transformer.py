"""One layer of a transformer against a loop over heads."""

import math

import torch

from tacit.parts.transformer import Block


def test_attention_against_a_loop():
    torch.manual_seed(0)
    block = Block(8, 2)
    x = torch.randn(2, 5, 8)
    normed = block.norm1(x)
    q, k, v = (normed @ part.T for part in block.qkv.weight.chunk(3))
    heads = []
    for h in range(2):
        one, two, three = (t[..., 4 * h : 4 * h + 4] for t in (q, k, v))
        heads.append((one @ two.transpose(1, 2) / math.sqrt(4)).softmax(2) @ three)
    y = x + block.out(torch.cat(heads, 2))
    torch.testing.assert_close(block(x), y + block.mlp(block.norm2(y)))
