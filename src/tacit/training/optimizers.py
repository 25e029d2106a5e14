"""One optimiser per stage, its parameters in named groups, its state keyed by the parameters' names."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from tacit.method import Method, Recipe
from tacit.numerics.processes import like as share
from tacit.training import schedules
from tacit.training.turns import known_prefixes, within

CELLS = 1 << 18  # of parameters, whose gradients and momentum are in a core's cache beside them


def build(method: Method, recipe: Recipe) -> Optimizer:
    """An optimiser over everything that asks for gradient now, in groups by `method.groups()`; norms and biases never decay."""
    groups: dict[tuple, dict] = {}
    factors = method.groups()
    known_prefixes("group of parameters", factors, method)
    known_prefixes("part to hold", recipe.hold, method)
    for name, parameter in method.named_parameters():
        if not parameter.requires_grad:
            continue
        prefix = max((p for p in factors if within(name, p)), key=len, default="")
        own = factors.get(prefix, {})
        decays = parameter.ndim > 1 and name.rpartition(".")[2] != "bias"
        group = groups.setdefault(
            (prefix, decays, type(parameter)),  # shares of parameters are not moved with whole ones
            {
                "params": [],
                "names": [],
                "factor": own.get("lr", 1.0),
                "schedule": own.get("schedule", recipe.schedule),
                "weight_decay": own.get("weight_decay", recipe.weight_decay) if decays else 0.0,
                "adapt": decays,
                "growing": recipe.weight_decay if decays and "weight_decay" not in own else 0.0,
            },
        )
        momentum = own.get("momentum", recipe.momentum)
        group |= {"betas": (momentum, recipe.beta2)} if recipe.optimizer == "adamw" else {"momentum": momentum}
        group["params"].append(parameter)
        group["names"].append(name)
    settings = list(groups.values())
    if not settings:
        raise ValueError(f"{type(method).__name__} has no parameter that asks for gradient; give it `solve` instead of `step`")
    if recipe.optimizer == "sgd":
        return SGD(settings, lr=recipe.lr)
    if recipe.optimizer == "lars":
        return LARS(settings, lr=recipe.lr)
    fused = not method.second_order and all(p.is_floating_point() for g in settings for p in g["params"])
    return AdamW(settings, lr=recipe.lr, fused=fused)


def set_rate(optimizer: Optimizer, recipe: Recipe, progress: float) -> None:
    """Give every group its rate at `progress`, by its schedule, and the recipe's decay where it has none of its own."""
    rates = {
        schedule: schedules.rate(recipe.but(schedule=schedule), progress)
        for schedule in {group["schedule"] for group in optimizer.param_groups}
    }
    growth = schedules.growth(recipe, progress)
    for group in optimizer.param_groups:
        group["lr"] = rates[group["schedule"]] * group["factor"]
        if group["growing"]:
            group["weight_decay"] = group["growing"] * growth


class LARS(Optimizer):
    """Layer-wise adaptive rates (You et al. 2017, arXiv:1708.03888), as SimCLR's released code has it.

    v ← momentum · v + rate · trust · (g + decay · w), w ← w − v with trust = eta · |w| / |g + decay · w|, and 1 where
    either norm is 0. Norms and biases are not adapted. Lists of tensors at once, no synchronisation with the host, and no
    memory but v: a step uses the gradients up, which are then rate · trust · (g + decay · w).
    """

    def __init__(self, groups, lr: float, eta: float = 0.001):
        super().__init__(groups, {"lr": lr, "momentum": 0.9, "weight_decay": 0.0, "adapt": True, "factor": 1.0})
        self.eta = eta

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for weights in _together([p for p in group["params"] if p.grad is not None]):
                self._move(weights, group)

    def _move(self, weights: list[Tensor], group: dict[str, Any]) -> None:
        for p in weights:
            if "momentum_buffer" not in self.state[p]:
                self.state[p]["momentum_buffer"] = torch.zeros_like(p)
        speeds = [self.state[p]["momentum_buffer"] for p in weights]
        pulls = [p.grad for p in weights if p.grad is not None]
        if group["weight_decay"]:
            torch._foreach_add_(pulls, weights, alpha=group["weight_decay"])
        rates = group["lr"]
        if group["adapt"]:
            sizes, lengths = torch.stack(torch._foreach_norm(weights)), torch.stack(torch._foreach_norm(pulls))
            rates = (rates * torch.where((sizes > 0) & (lengths > 0), self.eta * sizes / lengths, 1.0)).unbind()
        torch._foreach_mul_(pulls, rates)
        plain: dict[str, Any] = {"lr": 1.0, "weight_decay": 0.0, "dampening": 0.0, "nesterov": False, "maximize": False}
        torch._fused_sgd_(weights, pulls, speeds, momentum=group["momentum"], is_first_step=False, **plain)


def _together(parameters: list[Tensor]) -> Iterator[list[Tensor]]:
    """Parameters in lists: on a GPU all, on a CPU as many as its cache holds with what belongs to them, or a larger one."""
    start, cells = 0, 0
    for place, parameter in enumerate(parameters):
        cells += parameter.numel()
        if place > start and cells > CELLS and parameter.device.type == "cpu":
            yield parameters[start:place]
            start, cells = place, parameter.numel()
    if parameters:
        yield parameters[start:]


def state_by_name(optimizer: Optimizer) -> dict[str, Tensor]:
    """The optimiser's state as tensors named `parameter/what`."""
    return {
        f"{name}/{what}": value if isinstance(value, Tensor) else torch.tensor(value)
        for group in optimizer.param_groups
        for name, parameter in zip(group["names"], group["params"])
        for what, value in optimizer.state.get(parameter, {}).items()
        if value is not None
    }


def load_by_name(optimizer: Optimizer, saved: dict[str, Tensor]) -> None:
    """Give every parameter the state that was saved under its name."""
    for group in optimizer.param_groups:
        for name, parameter in zip(group["names"], group["params"]):
            own = {key.rsplit("/", 1)[1]: value for key, value in saved.items() if key.rsplit("/", 1)[0] == name}
            for what, value in own.items():
                # AdamW counts its steps beside the parameter where it is fused, and on the CPU where it is not
                count = torch.empty_like(value, device=parameter.device if group.get("fused") else value.device)
                like = torch.empty_like(parameter) if value.shape == parameter.shape and what != "step" else count
                optimizer.state[parameter][what] = like.copy_(share(value, like))


def forget(optimizer: Optimizer, modules: list[nn.Module]) -> None:
    """Drop the state of re-initialised modules, and empty the list of them."""
    for module in modules:
        for parameter in module.parameters():
            optimizer.state.pop(parameter, None)
    modules.clear()
