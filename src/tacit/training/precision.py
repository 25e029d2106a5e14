"""What the machine is good at: device, precision and memory layout, chosen once and said."""

from dataclasses import dataclass
from typing import Literal

import torch

from tacit.errors import TacitError, unknown

PRECISIONS: dict[str, Literal["32-true", "bf16-mixed"]] = {"fp32": "32-true", "bf16": "bf16-mixed"}  # ours, and Fabric's names


@dataclass(frozen=True)
class Machine:
    """Where and how to compute."""

    device: str  # "cpu" or "cuda"
    precision: str  # "fp32" or "bf16"
    why: str  # one sentence for the user


def choose(device: str = "auto", precision: str = "auto") -> Machine:
    """The fastest device here and the precision that is native to it; both can be given."""
    if device not in ("auto", "cpu", "cuda"):
        raise unknown("device", device, ("auto", "cpu", "cuda"))
    if device == "cuda" and not torch.cuda.is_available():
        raise TacitError("The device cuda was asked for, but torch sees no GPU here; leave --device out to take what there is.")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if precision != "auto":
        if precision not in PRECISIONS:
            raise unknown("precision", precision, ("auto", *PRECISIONS))
        return Machine(device, precision, f"{device}, {precision} as asked")
    if native_bf16(device):
        return Machine(device, "bf16", f"{device}, bf16 where it is safe, since it is native here")
    return Machine(device, "fp32", f"{device}, float32, since bf16 is not native here")


def native_bf16(device: str) -> bool:
    """Whether bf16 products are done in hardware."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    has = torch.cpu.get_capabilities()
    return bool(has.get("avx512_bf16") or has.get("amx_bf16"))


def layout(device: torch.device, shape: tuple[int, ...]) -> torch.memory_format:
    """How parameters lie in memory for views of this shape: channels last for images on a GPU, as its tensor cores want.

    On the CPU it gains little (small_resnet, 256 images of 32 × 32, forward and backward on one core: 5 % in bf16, 7 % in
    fp32), and in fp32 a batch cut in two then differs by more rounding from a whole one than the contract allows.
    """
    return torch.channels_last if device.type == "cuda" and len(shape) == 3 else torch.preserve_format
