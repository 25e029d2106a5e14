"""The whole state of a stage in one file: what a kill may interrupt and `--resume` goes on from."""

import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tacit.errors import TacitError
from tacit.method import Facts, Method, Plan, Stage, nested
from tacit.numerics import counter, processes
from tacit.numerics.processes import whole
from tacit.training import checkpoint, optimizers
from tacit.training.averaging import Average
from tacit.training.journal import Journal


@dataclass
class Position:
    """Where a stage stands; with the plan it is the whole state of its loading."""

    epoch: int = 0
    batch: int = 0  # batches of this epoch that are done
    step: int = 0  # batches of this stage that are done
    planned: bool = False  # `before_epoch` of this epoch has run
    finished: bool = False
    batch_size: int = 0  # samples of a batch that all processes share; 0: not known yet
    others: list[int] = field(default_factory=list)  # the same of all other streams


def reseed(*place: int | str) -> None:
    """Seed every generator that a hook may use, by counter: no random state is ever saved."""
    seed = counter.key(*place)
    torch.default_generator.manual_seed(seed % 2**63)  # `torch.manual_seed` takes milliseconds to tell devices not in use
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed % 2**63)
    np.random.seed(seed % 2**32)
    random.seed(seed)


class Keeper:
    """Saves and restores one stage, in `stage-NUMBER.safetensors`; without a folder it does nothing."""

    def __init__(
        self,
        folder: Path | None,
        number: int,
        stage: Stage,
        method: Method,
        optimizer: Optimizer | None,
        average: Average,
        journal: Journal,
    ):
        self.file = folder / f"stage-{number}.safetensors" if folder is not None else None
        self.stage, self.method = stage, method
        self.optimizer, self.average, self.journal = optimizer, average, journal
        self.saved = time.monotonic()

    def restore(self) -> tuple[Position, Plan | None, int]:
        """The position, the plan and the log's length that were saved; the rest is put back where it belongs."""
        if self.file is None or not self.file.exists():
            return Position(), None, self.journal.length()
        tensors, saved = checkpoint.read(self.file)
        checkpoint.restore(self.method, _below("method/", tensors))
        if self.optimizer is not None:
            optimizers.load_by_name(self.optimizer, _below("optimizer/", tensors))
        self.average.load(_below("average/", tensors))
        self.journal.load(_below("log/", tensors))
        return Position(**saved["at"]), _unpack(_below("plan/", tensors)), saved["log_length"]

    def save(self, at: Position, plan: Plan | None) -> None:
        """Put everything into one file, in place of the last; the first process alone writes."""
        self.saved = time.monotonic()
        if self.file is None:
            return
        groups = {
            "method/": self.method.state_dict(),
            "optimizer/": optimizers.state_by_name(self.optimizer) if self.optimizer is not None else {},
            "average/": self.average.weights,
            "log/": self.journal.state(),
            "plan/": _pack(plan),
            "option/": {name: value for name, value in self.stage.options.items() if isinstance(value, Tensor)},
        }
        tensors = {prefix + name: whole(value) for prefix, group in groups.items() for name, value in group.items()}
        if processes.rank() > 0:
            return
        facts = {
            "at": asdict(at),
            "log_length": self.journal.length(),
            "method": f"{self.stage.method.__module__}:{self.stage.method.__qualname__}",
            "options": {name: _plain(value) for name, value in self.stage.options.items() if not isinstance(value, Tensor)},
        }
        checkpoint.save(self.file, tensors, facts)

    def due(self, seconds: float) -> bool:
        """Whether the last save, or the start, is so long ago."""
        return time.monotonic() - self.saved >= seconds


def open_stage(
    file: Path,
    find: Callable[[str], type[Method]],
    build: Callable[[Stage, nn.Module | None], Method],
    encoder: nn.Module | None,
    facts: Facts,
) -> Method:
    """The trained method of a finished stage, on a freshly built encoder whose weights are restored with it.

    `find` gives the class that the file names, and refuses what is no method.
    """
    tensors, saved = checkpoint.read(file)
    if not saved["at"]["finished"]:
        raise TacitError(f"{file} is of a stage that has not finished; go on with --resume.")
    options: dict[str, Any] = {**saved["options"], **_below("option/", tensors)}
    restored = build(Stage(find(saved["method"]), **options), encoder)
    for inner in nested(restored):
        inner.prepare(facts)
    checkpoint.restore(restored, _below("method/", tensors))
    return restored.eval()


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _plain(value: Any) -> Any:
    """An option as JSON has it: a number of numpy's as one of Python's."""
    return value.item() if isinstance(value, np.generic) else value


def _pack(plan: Plan | None) -> dict[str, Tensor]:
    if plan is None:
        return {}
    packed = {name: torch.as_tensor(v) for name, v in (("partners", plan.partners), ("weights", plan.weights)) if v is not None}
    if plan.batches is not None:
        batches = [torch.as_tensor(batch) for batch in plan.batches]
        packed["batches"] = torch.cat(batches)
        packed["sizes"] = torch.tensor([len(batch) for batch in batches])
    return packed


def _unpack(packed: dict[str, Tensor]) -> Plan | None:
    if not packed:
        return None
    batches = packed["batches"].split(packed["sizes"].tolist()) if "batches" in packed else None
    return Plan(batches=batches, partners=packed.get("partners"), weights=packed.get("weights"))
