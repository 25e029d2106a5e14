"""Files that survive: written beside and renamed, tensors and JSON only, no pickle.

One file is one safetensors file whose header carries JSON. A kill at any moment leaves either the old file or the new.
"""

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tacit.errors import TacitError
from tacit.numerics.processes import like


def save(path: Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Write tensors (tied ones once) and JSON facts to `path`, whole or not at all."""
    first: dict[tuple, str] = {}
    aliases: dict[str, str] = {}
    plain: dict[str, Tensor] = {}
    for name, value in tensors.items():
        place = (value.data_ptr(), value.dtype, tuple(value.shape), value.stride())
        if value.numel() and place in first:
            aliases[name] = first[place]
            continue
        first[place] = name
        plain[name] = value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
    header = {"tacit": json.dumps({**facts, "aliases": aliases})}
    replace(path, lambda beside: save_file(plain, beside, metadata=header))


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and facts of a file written by `save`."""
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {})["tacit"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            return tensors | {name: tensors[of] for name, of in facts.pop("aliases").items()}, facts
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise TacitError(
            f"{path} is no whole file of Tacit's ({type(error).__name__}); give a run's folder, or weights as safetensors "
            "written by Tacit (pickled checkpoints are never opened)."
        ) from error


def replace(path: Path, write: Any) -> None:
    """Call `write(beside)` on a file beside `path`, then put it in its place; on failure the old file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    try:
        write(beside)
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        beside.chmod(0o644)  # safetensors writes for the owner alone
        beside.replace(path)
    except (OSError, SafetensorError) as error:
        beside.unlink(missing_ok=True)
        raise TacitError(
            f"{path} could not be written ({error}); free some space or give another --out; what was saved before is whole."
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    replace(path, lambda beside: beside.write_text(text))


def restore(module: torch.nn.Module, tensors: dict[str, Tensor]) -> None:
    """Load a module's whole state; a shape or name that does not fit is named."""
    own = module.state_dict()
    wrong = [n for n in own.keys() | tensors.keys() if n not in own or n not in tensors or own[n].shape != tensors[n].shape]
    if wrong:
        raise TacitError(
            f"These weights belong to another model: {', '.join(sorted(wrong)[:3])} and {max(len(wrong) - 3, 0)} more do not "
            "fit; open them with the encoder and options they were trained with."
        )
    module.load_state_dict({name: like(value, own[name]) for name, value in tensors.items()})
