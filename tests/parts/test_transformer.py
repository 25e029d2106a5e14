"""One layer of a transformer against a loop over heads."""

import math

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode

from tacit.parts import transformer
from tacit.parts.transformer import Block, attention


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


@pytest.mark.parametrize("t, s", [(7, 7), (1, 5), (9, transformer.LONGEST + 1)])
@pytest.mark.parametrize("units", [False, True])
def test_in_bf16_it_is_attention_whoever_computes_it(monkeypatch, t, s, units):
    monkeypatch.setattr(transformer, "matrix_units", lambda: units)
    torch.manual_seed(0)
    exact = [torch.randn(2, 3, n, 8, dtype=torch.float64, requires_grad=True) for n in (t, s, s)]
    low = [one.detach().to(torch.bfloat16).requires_grad_() for one in exact]
    found, wanted = attention(*low), scaled_dot_product_attention(*exact)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.double(), wanted, rtol=0.05, atol=0.05)
    towards = torch.randn_like(wanted)
    (found.double() * towards).sum().backward()
    (wanted * towards).sum().backward()
    for mine, theirs in zip(low, exact):
        torch.testing.assert_close(mine.grad.double(), theirs.grad, rtol=0.1, atol=0.1)


def test_a_mode_that_looks_for_attention_finds_it(monkeypatch):
    monkeypatch.setattr(transformer, "matrix_units", lambda: False)
    seen = []

    class Looking(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append(func)
            return func(*args, **(kwargs or {}))

    with Looking():
        attention(*torch.randn(3, 1, 2, 4, 8, dtype=torch.bfloat16))
    assert scaled_dot_product_attention in seen
