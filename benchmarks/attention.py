"""Attention in bf16 on a core, torch's fused kernel and written out: `python benchmarks/attention.py`.

    OMP_NUM_THREADS=1 python benchmarks/attention.py

Forward and backward by `parts.transformer.attention`, which writes it out where a processor has no matrix units, beside
`torch.nn.functional.scaled_dot_product_attention`, in turns. The rule by which it is written out: faster at every size.
"""

from collections.abc import Callable
from functools import partial

import torch
from rows import Measure, Row, main, turns
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from tacit.parts import transformer

SIZES = {  # samples, heads, tokens, numbers of a head
    "9 tokens: a quarter of 36, as MAE's encoder sees": (256, 3, 9, 32),
    "36 tokens": (256, 3, 36, 32),
    "64 tokens: small_vit": (128, 3, 64, 64),
    "197 tokens: ViT-S/16 at 224": (16, 6, 197, 64),
}


def beside(size: tuple[int, int, int, int]) -> Row:
    n, heads, tokens, each = size
    qkv = torch.randn(n, tokens, 3, heads, each, generator=torch.Generator().manual_seed(0)).bfloat16().requires_grad_()

    def step(attend: Callable[..., Tensor]) -> None:
        attend(*qkv.permute(2, 0, 3, 1, 4)).float().square().mean().backward()

    row = turns(7, ours=partial(step, transformer.attention), fused=partial(step, scaled_dot_product_attention))
    shape = dict(zip(("samples", "heads", "tokens", "numbers of a head"), size))
    return row | {"n": shape, "matrix units": transformer.matrix_units()}


MEASURES = {name: Measure(partial(beside, size), (transformer,)) for name, size in SIZES.items()}

if __name__ == "__main__":
    main(__doc__, "attention.json", MEASURES, {})
