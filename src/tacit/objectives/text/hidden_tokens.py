"""What tokens were hidden, told by their context."""

from torch import Tensor
from torch.nn.functional import cross_entropy

from tacit.numerics.exact import full_precision
from tacit.numerics.processes import size, total


def hidden_tokens(told: Tensor, table: Tensor, bias: Tensor, which: Tensor) -> Tensor:
    """Cross-entropy of m hidden tokens among all V of the vocabulary: m × d, V × d, V, int64 m -> scalar.

    Devlin et al. 2019 (arXiv:1810.04805), section 3.1: the mean over all hidden tokens of the batch, on all processes.
    """
    with full_precision():
        scores = told.float() @ table.float().T + bias.float()
        count = total(told.new_tensor(float(len(which)), dtype=table.dtype))
        return cross_entropy(scores, which, reduction="sum") * size() / count.clamp_min(1)
