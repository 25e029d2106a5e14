"""Views per second of images, against torchvision's PIL pipeline (as solo-learn and lightly use it), in one run.

    python benchmarks/views.py [OUT.json]

One thread; ours and the peer alternate, median of five; both start from decoded uint8 images and end in standardised
float32. The peer's images are PIL images that exist already.
"""

import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision import transforms as T

from tacit.data.samples import Images
from tacit.views import Program, modality
from tacit.views.kinds import Single

ROUNDS = 5
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def smooth(n: int, height: int, width: int) -> np.ndarray:
    """Images with large and small structure: uint8, n × height × width × 3."""
    coarse = torch.rand(n, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    image = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")
    image = image + 0.05 * torch.randn(image.shape, generator=torch.Generator().manual_seed(1))
    return (image.clamp(0, 1) * 255).byte().permute(0, 2, 3, 1).contiguous().numpy()


def peer(size: int, strength: float, crop: tuple[float, float], blur: float) -> T.Compose:
    jitter = T.ColorJitter(0.8 * strength, 0.8 * strength, 0.8 * strength, 0.2 * strength)
    steps = [T.RandomResizedCrop(size, crop), T.RandomHorizontalFlip(), T.RandomApply([jitter], 0.8), T.RandomGrayscale(0.2)]
    if blur:
        steps.append(T.RandomApply([T.GaussianBlur(int(0.1 * size) // 2 * 2 + 1, (0.1, 2.0))], blur))
    return T.Compose([*steps, T.ToTensor(), T.Normalize(MEAN, STD)])


def compare(height: int, width: int, size: int, n: int, peer_n: int) -> dict:
    arrays = smooth(n, height, width)
    views = modality("image").fit({"size": size, "mean": MEAN, "std": STD})
    program, index = Program(Single(), views), np.arange(n)
    content = Images(torch.from_numpy(arrays), torch.tensor([[height, width]] * n))
    theirs = peer(size, views.brightness / 0.8, views.crop, views.blur)
    pictures = [Image.fromarray(array) for array in arrays[:peer_n]]
    program(content, index, 0), [theirs(picture) for picture in pictures[:4]]  # warm
    rates: dict[str, list[float]] = {"tacit": [], "torchvision PIL": []}
    for turn in range(ROUNDS):
        start = time.perf_counter()
        program(content, index, turn)
        rates["tacit"].append(n / (time.perf_counter() - start))
        start = time.perf_counter()
        torch.stack([theirs(picture) for picture in pictures])
        rates["torchvision PIL"].append(peer_n / (time.perf_counter() - start))
    median = {name: statistics.median(values) for name, values in rates.items()}
    return {
        "from": [height, width],
        "to": size,
        "n": {"tacit": n, "torchvision PIL": peer_n},
        "views per second": {name: round(value) for name, value in median.items()},
        "all": {name: [round(value) for value in values] for name, values in rates.items()},
        "ratio": round(median["tacit"] / median["torchvision PIL"], 2),
    }


def main() -> None:
    torch.set_num_threads(1)
    found = {
        "load before": os.getloadavg(),
        "threads": torch.get_num_threads(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__},
        "results": [compare(32, 32, 32, 2048, 512), compare(64, 64, 64, 1024, 256), compare(375, 500, 224, 64, 64)],
    }
    found["load after"] = os.getloadavg()
    text = json.dumps(found, indent=2)
    Path(sys.argv[1] if len(sys.argv) > 1 else "views.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
