"""Attention in which each token reads only those that it scores highest."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode

from tacit.errors import TacitError


class MostAlike(TorchFunctionMode):
    """Within it torch's attention, in whichever encoder, reads for each query only a share of the keys."""

    def __init__(self, share: float):
        super().__init__()
        self.share, self.layers = share, 0

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        if func is not scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        self.layers += 1
        return most_alike(*args, share=self.share, **(kwargs or {}))

    def needed(self) -> None:
        """Refuse an encoder that writes its attention out and so has read all keys."""
        if not self.layers:
            raise TacitError(
                "The encoder calls torch's scaled_dot_product_attention nowhere, so that what a token reads cannot be chosen; "
                "give one that does, such as small_vit."
            )


def most_alike(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    share: float,
    **how: Any,
) -> Tensor:
    """Attention of queries … × t × d to the share of keys and values … × s × d that each scores highest -> … × t × d.

    Of keys with equal scores at the border all are read. The other arguments are torch's own; TacitError for a mask.
    """
    if attn_mask is not None or is_causal:
        raise TacitError("The encoder's attention has a mask of its own, beside which no keys can be chosen; give another one.")
    with torch.no_grad():
        scores = q @ k.mT
        least = scores.topk(max(round(share * k.shape[-2]), 1), dim=-1).values[..., -1:]
    return scaled_dot_product_attention(q, k, v, attn_mask=scores >= least, dropout_p=dropout_p, **how)
