"""Features of which few are not 0, held in compressed rows (CSR), beside those that are held whole."""

import warnings

import torch
from torch import Tensor

FEW = 0.1  # the share of entries that are not 0 below which compressed rows pay


def compressed(x: Tensor) -> Tensor:
    """The same in compressed rows where few entries are not 0, else as it is: N × F."""
    if x.count_nonzero() >= FEW * x.numel():
        return x
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that the layout is young
        return x.to_sparse_csr()


def dense(x: Tensor) -> Tensor:
    """The same, held whole."""
    return x.to_dense() if x.layout == torch.sparse_csr else x


def with_values(x: Tensor, values: Tensor) -> Tensor:
    """Compressed rows with other values in the same places."""
    return torch.sparse_csr_tensor(x.crow_indices(), x.col_indices(), values, x.shape, check_invariants=False)


def dropout(x: Tensor, share: float, training: bool) -> Tensor:
    """A share of the entries set to 0 in training, what is left made larger by as much; of compressed rows those held."""
    if x.layout != torch.sparse_csr:
        return torch.nn.functional.dropout(x, share, training)
    return with_values(x, torch.nn.functional.dropout(x.values(), share, training))
