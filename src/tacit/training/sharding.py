"""Fully sharded training: of each encoder a process keeps its share of parameters, gradients and the optimiser's state.

Torch's `fully_shard` (FSDP2; Zhao et al. 2023, arXiv:2304.11277) puts an encoder together when it is called and takes it apart
again, block by block where it has a list of blocks. What else a method trains stays whole and is averaged as ever.
"""

import inspect
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from tacit.errors import TacitError
from tacit.method import Dual, Method, Recipe
from tacit.numerics import processes
from tacit.numerics.processes import norms, shared, whole
from tacit.training.chunks import encoders


def shard(method: Method, recipe: Recipe, device: torch.device) -> None:
    """Shard every encoder inside a method, in place; what is left is for data-parallel averaging."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method

    name = type(method).__name__
    if method.players or recipe.hold:
        raise TacitError(f"{name} trains parts of itself in turn, which shards cannot; leave --strategy fsdp out.")
    if recipe.optimizer == "lars":
        raise TacitError("The rates of lars are by the norm of whole layers, which shards do not hold; give --optimizer sgd.")
    mesh = init_device_mesh(device.type, (processes.size(),))
    for encoder, calls in [(one, _calls(type(one))) for one in reversed(encoders(method))]:  # parts before the whole
        for module in (*_blocks(encoder), encoder):
            if not isinstance(module, FSDPModule):  # as a part's blocks are, which the whole holds again
                fully_shard(module, mesh=mesh)
        for call in calls:
            register_fsdp_forward_method(encoder, call)
    asking = {name: shared(parameter) for name, parameter in method.named_parameters() if parameter.requires_grad}
    if all(asking.values()) or not any(asking.values()):
        raise TacitError(f"{name} has no encoder to shard, or nothing beside it to train; leave --strategy fsdp out.")
    shares = [name for name, parameter in method.named_parameters() if shared(parameter)]
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(method, shares)


def _blocks(encoder: nn.Module) -> list[nn.Module]:
    """What of an encoder is put together by itself, the inner before the outer."""
    lists: list[Any] = [module for module in encoder.modules() if isinstance(module, nn.ModuleList)]
    if isinstance(encoder, Dual):  # whose parts, and what brings one to the other's width, are asked without the whole
        lists += [part for part in (encoder.first, encoder.second) if type(part) is nn.Sequential]
    return [block for blocks in reversed(lists) for block in blocks]


def _calls(kind: type[nn.Module]) -> list[str]:
    """What an encoder can be asked for besides its forward, by name."""
    found = [name for name in dir(kind) if not name.startswith("_") and not hasattr(nn.Module, name)]
    return [name for name in found if inspect.isfunction(inspect.getattr_static(kind, name))]


def apart(method: Method) -> None:
    """Take apart what a forward has put together, so that what is moved next are the shares."""
    from torch.distributed.fsdp import FSDPModule

    for module in method.modules():
        if isinstance(module, FSDPModule):
            module.reshard()


@torch.no_grad()
def clip(parameters: Iterable[nn.Parameter], most: float) -> None:
    """Scale gradients so that the norm of all of them together is at most this."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    factor = float((most / (torch.stack(norms(gradients)).norm() + 1e-6)).clamp(max=1))
    for gradient in gradients:
        gradient.mul_(factor)


def gathered(encoder: nn.Module | None, fresh: nn.Module | None) -> nn.Module | None:
    """The weights of a sharded encoder in one that is not."""
    if encoder is None or fresh is None:
        return encoder
    fresh.load_state_dict({name: whole(value) for name, value in encoder.state_dict().items()})
    return fresh
