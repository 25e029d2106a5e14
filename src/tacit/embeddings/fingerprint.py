"""The name of an encoder's weights: equal weights have equal names, whatever file they lie in."""

import hashlib
import json

import torch
from torch import nn

CHUNK = 1 << 22  # elements brought to the CPU at a time


def fingerprint(module: nn.Module) -> str:
    """The sha256, in hex, of the names, shapes, types and bytes of all parameters and saved buffers, in order of name.

    What `state_dict` leaves out (buffers that are not persistent) does not count: it is rebuilt, not learnt. The
    device, the memory layout and the order of construction do not count either. A tied tensor counts under each of
    its names. No more than one tensor is ever copied.
    """
    digest = hashlib.sha256()
    state = module.state_dict()
    for name in sorted(state):
        tensor = state[name]
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{name} is a {type(tensor).__name__}; only tensors have a fingerprint")
        digest.update(json.dumps([name, list(tensor.shape), str(tensor.dtype)]).encode())
        for chunk in tensor.detach().reshape(-1).split(CHUNK):
            digest.update(chunk.cpu().contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()
